"""Seams of what processes share, and of what they learn from each other and from the database."""

from __future__ import annotations

from typing import Final

from wats_accel.testing.seam import Seam

_CACHE: Final = "wats_accel.cache."
_SHARED: Final = "wats_accel.shared."
_WIRE: Final = "wats_accel.wire."
_VERSIONS: Final = "wats_accel.versions."
_TRACKING: Final = "wats_accel.tracking."

SHARED_SEAMS: Final = (
    # -- shared answers
    Seam("tier.find", _SHARED + "tier:MethodTier.find", "Looks for an answer that other processes have."),
    Seam("tier.names", _SHARED + "tier:MethodTier._names", "Names an answer for all processes."),
    Seam("tier.take", _SHARED + "tier:MethodTier._take", "Takes over an answer that was found."),
    Seam(
        "tier.footprint", _SHARED + "tier:MethodTier._footprint_of", "Says what a found answer was made from."
    ),
    Seam("tier.keep", _SHARED + "tier:OpenTicket.keep", "Keeps an answer for other processes."),
    Seam("tier.why_not", _SHARED + "tier:MethodTier._why_not", "Says why it is not kept for them."),
    Seam(
        "tier.give_up", _SHARED + "tier:OpenTicket.give_up", "Has other processes wait for a load no longer."
    ),
    Seam("tier.wait", _SHARED + "waiters:Waiters.waiting_for", "Gives what wakes whoever waits for a load."),
    Seam("tier.envelope", _SHARED + "tier:Common.envelope", "Gives what makes bytes of answers."),
    Seam("name.key", _WIRE + "key_names:key_name", "Makes the name of an answer."),
    Seam(
        "name.owner",
        _CACHE + "keys:KeyMaker.owner",
        "Says whose answer it is, in words that all processes know.",
    ),
    Seam("name.tag", _SHARED + "tags:Tags.named", "Makes the name of a tag."),
    Seam("name.of_answer", _SHARED + "tags:Tags.of_answer", "Names the tags of an answer."),
    Seam("name.of_drop", _SHARED + "tags:Tags.of_drop", "Names the tags of an invalidation."),
    Seam("name.of_tables", _SHARED + "tags:Tags.of_tables", "Names the tags of tables."),
    Seam("wire.pack", _WIRE + "envelope:Envelope.pack", "Packs an answer."),
    Seam("wire.unpack", _WIRE + "envelope:Envelope.unpack", "Unpacks an answer."),
    Seam("wire.encode", _WIRE + "codec:Codec.encode", "Makes a document of a value."),
    Seam("wire.decode", _WIRE + "codec:Codec.decode", "Makes a value of a document."),
    Seam("wire.place", _WIRE + "places:Place.spelled", "Spells where an answer belongs."),
    Seam("seal.seal", _WIRE + "seals:Sealer.seal", "Encrypts an answer or a message."),
    Seam("seal.open", _WIRE + "seals:Sealer.open", "Decrypts it."),
    Seam("deadline.ask", _SHARED + "backplane:Backplane.ask", "Has the server asked for a call."),
    Seam("deadline.call", _SHARED + "deadlines:Deadlines.call", "Makes a call in another thread."),
    Seam("deadline.thread", _SHARED + "deadlines:Deadlines._have_a_thread", "Has a thread for it."),
    Seam("deadline.result", _SHARED + "deadlines:_Job.result_within", "Waits for what it gives."),
    Seam("server.find", _SHARED + "server:Server.find", "Asks the server for an answer."),
    Seam("server.keep", _SHARED + "server:Server.keep", "Has the server keep an answer."),
    Seam("server.release", _SHARED + "server:Server.release", "Gives back the leave to load an answer."),
    Seam("server.announce", _SHARED + "server:Server.announce", "Sends a message."),
    # -- what processes tell each other
    Seam("tell.dropped", _SHARED + "joining:Membership.dropped", "Tells what patterns have dropped."),
    Seam("tell.changed", _SHARED + "joining:Membership.changed", "Tells which tables have changed."),
    Seam("tell.pattern", _SHARED + "backplane:Backplane.dropped", "Makes a message of patterns."),
    Seam("tell.tables", _SHARED + "backplane:Backplane.changed", "Makes a message of tables."),
    Seam("tell.write", _SHARED + "messages:written", "Makes bytes of a message."),
    Seam(
        "tell.later",
        _SHARED + "backplane:Backplane._tell_later",
        "Has a message wait that could not be sent.",
    ),
    Seam("outbox.send", _SHARED + "outbox:Outbox.send", "Has a message sent."),
    Seam("outbox.put", _SHARED + "outbox:Outbox.put", "Puts a message to those that wait."),
    Seam(
        "heard.step",
        _SHARED + "backplane:Backplane.step",
        "Hears what there is, and says that this process lives.",
    ),
    Seam("heard.waiting", _SHARED + "outbox:Outbox.send_what_waits", "Sends the messages that wait."),
    Seam("heard.warm_up", _SHARED + "server:Server.warm_up", "Has the server know what it will be asked."),
    Seam("heard.time", _SHARED + "server:Server.milliseconds", "Asks for the server's time."),
    Seam("heard.beat", _SHARED + "server:Server.beat", "Says to the server that this process lives."),
    Seam("heard.catch_up", _SHARED + "inbox:Inbox.catch_up", "Hears what it has not heard yet."),
    Seam("heard.read", _SHARED + "server:Server.read", "Reads messages."),
    Seam("heard.listen", _SHARED + "server:Server.listen", "Waits for messages."),
    Seam("heard.apply", _SHARED + "inbox:Inbox.apply", "Applies messages in their order."),
    Seam("heard.miss", _SHARED + "server:Server.miss", "Reminds the server of other processes."),
    Seam("heard.begin_anew", _SHARED + "server:Server.begin_anew", "Ends an epoch of the server."),
    Seam("heard.own", _SHARED + "outbox:Outbox.is_own", "Says whether a message is of this process."),
    Seam("heard.opened", _SHARED + "outbox:Outbox.opened", "Opens a message."),
    Seam("heard.parse", _SHARED + "messages:read", "Reads the bytes of a message."),
    Seam("heard.told", _SHARED + "applying:Applier.told", "Applies a message."),
    Seam(
        "heard.drop", "wats_accel.invalidation.dropping:Dropper.drop_as_told", "Drops what a message names."
    ),
    Seam(
        "heard.tables",
        _TRACKING + "tracker:Tracker.drop_as_told",
        "Drops what was made from tables that it names.",
    ),
    Seam(
        "heard.everything", _CACHE + "registry:CacheRegistry.drop_everything", "Drops all entries there are."
    ),
    Seam("heard.bounded", _SHARED + "applying:Applier.bounded", "Bounds how old answers may become."),
    Seam("heard.bounds", _CACHE + "elsewhere:Bounds.set", "Sets the bound of all ages."),
    Seam("heard.connected", _SHARED + "applying:Applier.connected", "Tells that all others are heard."),
    Seam("heard.isolated", _SHARED + "applying:Applier.isolated", "Tells that they are not."),
    Seam(
        "horizon.move",
        _SHARED + "horizon:Horizon.move_to",
        "Puts off the moment when nothing is trusted any more.",
    ),
    Seam("horizon.look", _SHARED + "horizon:Horizon.look", "Looks whether it has come."),
    Seam(
        "horizon.shared",
        _SHARED + "backplane:Backplane._was_reached",
        "Drops all that others may have changed.",
    ),
    Seam(
        "horizon.followed",
        _SHARED + "following:Following._was_reached",
        "Drops all that the database may have changed.",
    ),
    Seam("horizon.clock", _SHARED + "horizon:clock_that_counts_sleep", "Says the time, sleep included."),
    Seam("member.feature", "wats_accel_plugins.redis_tier:accel_startup", "The feature of sharing."),
    Seam("member.reload", "wats_accel_plugins.redis_tier:accel_reload", "Goes on sharing with other rules."),
    Seam("member.parts", "wats_accel_plugins.redis_tier:accel_shutdown", "Ends the feature of sharing."),
    Seam("member.connect", _SHARED + "joining:Membership._connect", "Makes what asks the server."),
    Seam("member.client", _SHARED + "clients:client_of", "Makes a client of the server."),
    Seam("member.begin", _SHARED + "joining:Membership.begin", "Joins the others."),
    Seam("member.serve", _SHARED + "joining:Membership.serve", "Gives each method its tier."),
    Seam("member.listen", _SHARED + "listening:Listening.start", "Begins to hear the others."),
    Seam("member.stop", _SHARED + "listening:Listening.stop", "Hears them no more."),
    Seam("member.end", _SHARED + "joining:Membership.end", "Parts from the others."),
    Seam("member.close", _SHARED + "backplane:Backplane.close", "Says goodbye, if that is quick."),
    Seam("member.leave", _SHARED + "server:Server.leave", "Has the server miss this process no more."),
    Seam("member.figures", _SHARED + "joining:Membership.figures", "Gives the figures of sharing."),
    # -- following a database
    Seam("follow.feature", "wats_accel_plugins.table_versions:accel_startup", "The feature of following."),
    Seam(
        "follow.reload",
        "wats_accel_plugins.table_versions:accel_reload",
        "Goes on following with other rules.",
    ),
    Seam(
        "follow.parts", "wats_accel_plugins.table_versions:accel_shutdown", "Ends the feature of following."
    ),
    Seam(
        "follow.begin", _SHARED + "following:Following.begin", "Bounds ages until the database has answered."
    ),
    Seam("follow.start", _SHARED + "following:Following.start", "Begins to ask it."),
    Seam("follow.serve", _SHARED + "following:Following.serve", "Has its answers vouch for entries."),
    Seam("follow.end", _SHARED + "following:Following.end", "Asks no more."),
    Seam("follow.figures", _SHARED + "following:Following.figures", "Gives the figures of following."),
    Seam("poll.step", _SHARED + "following:Following.step", "Asks the database once."),
    Seam("poll.ask", _SHARED + "following:Following._ask", "Has a source ask, on a connection of its own."),
    Seam("poll.source", _VERSIONS + "choosing:source_of", "Makes a source."),
    Seam(
        "poll.begin",
        _VERSIONS + "version_table:VersionTable.begin",
        "Prepares the connection for a version table.",
    ),
    Seam("poll.table", _VERSIONS + "version_table:VersionTable.poll", "Asks a version table."),
    Seam("poll.number", _VERSIONS + "data_version:DataVersion.poll", "Asks SQLite for its own number."),
    Seam("poll.rows", _VERSIONS + "asking:rows_of", "Runs a statement of its own."),
    Seam(
        "poll.file",
        _VERSIONS + "database_file:DatabaseFile.check",
        "Looks whether the file is still the same.",
    ),
    Seam("poll.changes", _VERSIONS + "answers:Versions.changes_since", "Compares two answers."),
    Seam("poll.apply", _SHARED + "following:Following._apply", "Drops what has changed."),
    Seam("poll.close", _SHARED + "following:Following._close_connection", "Closes its connection."),
    Seam("poll.lost", _SHARED + "following:Following._lost", "Bounds ages while it cannot ask."),
    Seam("vouch.until", _SHARED + "following:Following.good_until", "Says how long an old entry is good."),
    Seam("vouch.tables", _SHARED + "following:Following._tables_of", "Says what an entry was made from."),
    Seam("vouch.stamp", _VERSIONS + "answers:Versions.stamp", "Says whether all of that is watched."),
    Seam("vouch.renew", _CACHE + "region:Region.renew", "Has an entry live on."),
)
