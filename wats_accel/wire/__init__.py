"""Values on the wire: an answer as bytes that another process may read, and back. Never pickle.

`Codec` makes bytes of values, `Envelope` what stands around them, `Sealer` a secret of them, `key_name` the
name that they are kept under.
"""

from wats_accel.wire.codec import Codec
from wats_accel.wire.envelope import FORMAT_VERSION, Envelope
from wats_accel.wire.key_material import keys_from_environment, keys_from_file
from wats_accel.wire.key_names import key_name
from wats_accel.wire.limits import Limits
from wats_accel.wire.places import Place
from wats_accel.wire.refusals import KeyMaterialError, NotEncodableError, NotReadableError
from wats_accel.wire.seals import Sealer

__all__ = [
    "FORMAT_VERSION",
    "Codec",
    "Envelope",
    "KeyMaterialError",
    "Limits",
    "NotEncodableError",
    "NotReadableError",
    "Place",
    "Sealer",
    "key_name",
    "keys_from_environment",
    "keys_from_file",
]
