"""A plugin beside the executable: PyInstaller never sees it."""

from wats_accel.extension import EventSubscription, Stored, hookimpl

KEYS = []


@hookimpl
def accel_event_subscriptions(context):
    return [EventSubscription(Stored, lambda event: KEYS.append(event.key))]
