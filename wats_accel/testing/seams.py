"""Seams: the places inside wats_accel where something may fail, by name. `faults` makes them fail.

Each is a function of one part that another part calls. What stands in for the application's own methods is
none: there nothing is between a failure and the application.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from wats_accel.testing.seam import Seam
from wats_accel.testing.shared_seams import SHARED_SEAMS


def _own_thread(thread: Any, *args: Any) -> bool:
    return str(thread.name).startswith("wats-accel")


def _own_record(logger: Any, *args: Any) -> bool:
    return str(logger.name).partition(".")[0] == "wats_accel"


_CACHE: Final = "wats_accel.cache."
_POOL: Final = "wats_accel.pool."
_TRACKING: Final = "wats_accel.tracking."
_TELEMETRY: Final = "wats_accel.telemetry."
_RELOAD: Final = "wats_accel.reloading:Reload."
_BYSTANDER: Final = "wats_accel.testing.bystander:"

_TABLE: Final = (
    # -- keys and texts
    Seam("key.make", _CACHE + "keys:KeyMaker.key", "Makes the key of a call."),
    Seam("key.freeze", _CACHE + "freezing:freeze", "Makes an argument hashable."),
    Seam("key.scope", _CACHE + "keys:KeyMaker.scope_number", "Finds the number of a database or instance."),
    Seam("key.texts", _CACHE + "keys:KeyMaker.texts", "Spells a read's arguments for invalidation."),
    Seam("key.text", _CACHE + "texts:argument_text", "Spells one argument for invalidation."),
    Seam("key.label", _CACHE + "keys:KeyMaker.label", "Makes the readable key."),
    Seam("key.readable", _CACHE + "texts:readable", "Spells one argument for people."),
    Seam("arguments.read", _CACHE + "keys:ArgumentReader.read", "Reads a write's arguments."),
    Seam("arguments.spell", _CACHE + "selection:loose_texts", "Spells a write's argument."),
    # -- copies
    Seam("copy.take", _CACHE + "copying:take_snapshot", "Decides how an answer is kept."),
    Seam("copy.give", _CACHE + "copying:Snapshot.give", "Gives a caller an answer of his own."),
    Seam("copy.dicts", _CACHE + "copying:_copy_dicts", "Copies an answer of plain dictionaries."),
    Seam("copy.deep", "copy:deepcopy", "Copies any other answer."),
    Seam("copy.size", _CACHE + "sizing:estimate_bytes", "Estimates what an answer takes."),
    # -- stores
    Seam(
        "store.get", "wats_accel.testing.faulty_store:FaultyStore.get", "Finds an entry in a plugin's store."
    ),
    Seam(
        "store.put", "wats_accel.testing.faulty_store:FaultyStore.put", "Keeps an entry in a plugin's store."
    ),
    Seam("store.remove", "wats_accel.testing.faulty_store:FaultyStore.remove", "Drops one from it."),
    Seam("store.clear", "wats_accel.testing.faulty_store:FaultyStore.clear", "Drops all from it."),
    Seam("store.entries", "wats_accel.testing.faulty_store:FaultyStore.entries", "Gives all that it has."),
    Seam("store.len", "wats_accel.testing.faulty_store:FaultyStore.__len__", "Counts them."),
    Seam("memory.put", _CACHE + "memory_store:MemoryStore.put", "Keeps an entry in memory."),
    Seam("memory.remove", _CACHE + "memory_store:MemoryStore.remove", "Drops one from memory."),
    Seam("memory.clear", _CACHE + "memory_store:MemoryStore.clear", "Drops all from memory."),
    Seam("memory.entries", _CACHE + "memory_store:MemoryStore.entries", "Gives all entries in memory."),
    Seam("memory.len", _CACHE + "memory_store:MemoryStore.__len__", "Counts the entries in memory."),
    Seam("index.add", _CACHE + "index:EntryIndexes.add", "Notes an entry by its arguments."),
    Seam("index.discard", _CACHE + "index:EntryIndexes.discard", "Forgets an entry."),
    Seam("index.clear", _CACHE + "index:EntryIndexes.clear", "Forgets all entries."),
    Seam("index.candidates", _CACHE + "index:EntryIndexes.candidates", "Finds entries by an argument."),
    Seam("index.footprints", _CACHE + "index:EntryIndexes.footprints", "Says what entries were made from."),
    Seam("evict.append", _CACHE + "eviction:S3FifoQueue.append", "Queues an entry."),
    Seam("evict.victim", _CACHE + "eviction:S3FifoQueue.victim", "Chooses the entry that has to go."),
    Seam("evict.sweep", _CACHE + "eviction:S3FifoQueue.sweep", "Looks for entries that are over."),
    # -- regions
    Seam("region.lookup", _CACHE + "region:Region.lookup", "Finds the entry that answers a call."),
    Seam("region.settle", _CACHE + "region:Region.settle", "Looks once more, under the lock."),
    Seam("region.why_not_keep", _CACHE + "region:Region.why_not_keep", "Says why an answer is not kept."),
    Seam("region.keep", _CACHE + "region:Region.keep", "Keeps an answer."),
    Seam("region.invalidate", _CACHE + "region:Region.invalidate", "Drops entries, and marks loads."),
    Seam("region.made_from", _CACHE + "region:Region.invalidate_made_from", "Drops what SQL has changed."),
    Seam("region.remove", _CACHE + "holdings:Holdings.remove", "Takes an entry out."),
    Seam("region.bypass", _CACHE + "region:Region.note_bypass", "Counts a call past the cache."),
    Seam("region.close", _CACHE + "region:Region.close", "Stops caching a method."),
    Seam("premise.entry", _CACHE + "entries:Entry.breach", "Asks whether an answer still holds."),
    Seam("premise.inner", _CACHE + "premises:HeldEntry.breach", "Asks the answer that it was made from."),
    Seam("premise.moment", _CACHE + "premises:ValidUntil.breach", "Asks the time of day."),
    # -- loads
    Seam("load.new", _CACHE + "loads:Load.__init__", "Makes the record of a load."),
    Seam("load.begin", _CACHE + "loading:begin", "Begins a load, or finds one to join."),
    Seam("load.finish", _CACHE + "loading:finish", "Ends a load, and stores its answer."),
    Seam("load.fail", _CACHE + "loading:fail", "Ends a load that raised."),
    Seam("load.end", _CACHE + "loading:end", "Has nobody wait for a load any more."),
    Seam("load.enter", _CACHE + "loads:enter_load", "Notes that a thread runs a load."),
    Seam("load.leave", _CACHE + "loads:leave_load", "Notes that it does not any more."),
    Seam("load.innermost", _CACHE + "loads:innermost_load", "Finds the load around a call."),
    Seam("load.spoil", _CACHE + "loads:spoil_loads", "Has the loads around a call not kept."),
    Seam("load.rest_on", _CACHE + "loads:Load.rest_on", "Notes that an answer is made from another."),
    Seam("flight.board", _CACHE + "flights:Flights.board", "Registers a load."),
    Seam("flight.of_key", _CACHE + "flights:Flights.of_key", "Finds the load of a key."),
    Seam("flight.join", _CACHE + "flights:Flights.join", "Has a call join a load."),
    Seam("flight.wait", _CACHE + "flights:wait_for", "Waits for a load of another thread."),
    Seam("flight.land", _CACHE + "flights:Flights.land", "Ends the flight of a load."),
    Seam("flight.overtake", _CACHE + "flights:Flights.overtake", "Marks the loads that a write overtakes."),
    Seam("fence.raise", _CACHE + "flights:Flights.raise_fence", "Has loads overtaken that begin now."),
    Seam("fence.lift", _CACHE + "flights:Flights.lift_fence", "Ends that."),
    Seam("renew.submit", _CACHE + "background:Background.submit", "Has an answer renewed ahead of time."),
    Seam("renew.begin", _CACHE + "loading:begin_renewal", "Begins to renew an answer."),
    Seam("verify.begin", _CACHE + "checking:begin_beside", "Runs a method beside its cached answer."),
    Seam("verify.compare", _CACHE + "checking:compare", "Compares the two."),
    Seam("verify.values", _CACHE + "comparing:difference", "Compares two values."),
    Seam("verify.end", _CACHE + "checking:end_beside", "Ends the run beside."),
    Seam("shadow.answer", _CACHE + "checking:would_answer", "Says what the cache would have answered."),
    # -- writes
    Seam("write.begin", "wats_accel.invalidation:Invalidator.begin", "Notes that a write begins."),
    Seam("write.end", "wats_accel.invalidation:Invalidator.end", "Drops what a write concerns."),
    Seam("write.select", _CACHE + "selection:select", "Binds a pattern to a write's arguments."),
    Seam(
        "write.concerns", "wats_accel.invalidation:WriteRule.concerns", "Judges whether a write has written."
    ),
    Seam(
        "write.drop",
        "wats_accel.invalidation.dropping:Dropper._drop",
        "Drops entries of all methods concerned.",
    ),
    Seam("write.regions", _CACHE + "registry:CacheRegistry.matching", "Finds the methods of a pattern."),
    Seam("writers.enter", _CACHE + "writers:Writers.enter", "Keeps readers away from what is written."),
    Seam("writers.leave", _CACHE + "writers:Writers.leave", "Lets them back."),
    Seam("writers.why", _CACHE + "writers:Writers.why_keep_away", "Says why a reader must keep away."),
    Seam("transaction.open", "wats_accel.transactions:open_transactions", "Finds a thread's transactions."),
    Seam("transaction.any", "wats_accel.transactions:has_uncommitted_changes", "Says whether there are any."),
    Seam("transaction.at_commit", "wats_accel.transactions:Transaction.at_commit", "Leaves a callback."),
    Seam("transaction.end", "wats_accel.transactions:Transaction.end", "Calls them back."),
    Seam("failures.note", "wats_accel.failures:_count", "Notes that something failed in this thread."),
    Seam("failures.met", "wats_accel.failures:failures_met", "Counts what failed in this thread."),
    # -- events, log, figures
    Seam("event.listener", _BYSTANDER + "hear", "Is told of events."),
    Seam("event.send", "wats_accel.event_bus:Channel._tell", "Tells a listener of an event."),
    Seam("event.emit", "wats_accel.event_bus:EventBus._send", "Sends a rare event."),
    Seam("event.checkpoint", "wats_accel.event_bus:EventBus.checkpoint", "Runs what is due now and then."),
    Seam("log.take", _TELEMETRY + "logs:EventLog._take", "Takes an event for the log."),
    Seam("log.render", _TELEMETRY + "logs:_as_text", "Makes a line of an event."),
    Seam(
        "log.handle", "logging:Logger.handle", "Gives a line to the program's own log handlers.", _own_record
    ),
    Seam("log.adapt", _TELEMETRY + "logs:EventLog._adapt", "Looks whether the log's level has changed."),
    Seam("log.close", _TELEMETRY + "logs:EventLog.close", "Stops writing to the log."),
    Seam("stats.snapshot", _TELEMETRY + "snapshots:snapshot", "Makes the figures."),
    Seam("stats.summary", _TELEMETRY + "summary:summary_of", "Makes the line of figures."),
    Seam("breaker.failed", "wats_accel.breakers:Breaker.failed", "Counts a failure of a part."),
    Seam("breaker.may_try", "wats_accel.breakers:Breaker.may_try", "Says whether a part is used."),
    Seam("thread.start", "threading:Thread.start", "Starts a thread of ours.", _own_thread),
    Seam("clock.monotonic", "wats_accel.testing.clock:FakeClock.__call__", "Says how much time has passed."),
    Seam("clock.wall", "wats_accel.testing.clock:FakeClock.wall_time", "Says the time of day."),
    # -- configuration, plugins, patches
    Seam("config.read", "wats_accel.config_source:read_config", "Reads the configuration."),
    Seam("config.load", "wats_accel.config.loader:load", "Validates the configuration."),
    Seam("config.assemble", "wats_accel.assembly:assemble", "Makes all parts that it asks for."),
    Seam("plugin.load", "wats_accel.plugin_manager:PluginManager.load_all", "Loads the plugins."),
    Seam("plugin.register", "wats_accel.plugin_manager:PluginManager.register", "Takes a plugin in."),
    Seam("plugin.collect", "wats_accel.plugin_manager:PluginManager.collect", "Collects what plugins give."),
    Seam("hook.config_sections", _BYSTANDER + "accel_config_sections", "A plugin's sections."),
    Seam("hook.patch_specs", _BYSTANDER + "accel_patch_specs", "A plugin's patches."),
    Seam("hook.event_subscriptions", _BYSTANDER + "accel_event_subscriptions", "A plugin's listeners."),
    Seam("hook.create_store", _BYSTANDER + "accel_create_store", "A plugin's store."),
    Seam("hook.startup", _BYSTANDER + "accel_startup", "A plugin starts."),
    Seam("hook.shutdown", _BYSTANDER + "accel_shutdown", "A plugin ends."),
    Seam("feature.cache", "wats_accel_plugins.repository_cache:accel_patch_specs", "The feature of caching."),
    Seam("feature.write", "wats_accel_plugins.write_invalidation:accel_patch_specs", "The feature of rules."),
    Seam("feature.pool", "wats_accel_plugins.connection_pool:accel_patch_specs", "The feature of pools."),
    Seam("feature.sql", "wats_accel_plugins.sql_invalidation:accel_startup", "The feature of reading SQL."),
    Seam("config.admit", "wats_accel.admission:Admission.admitted", "Judges which rules may be applied."),
    Seam("reload.prepare", _RELOAD + "prepare", "Plans another configuration beside the one in effect."),
    Seam("reload.engines", _RELOAD + "switch_engines", "Puts its rules into effect."),
    Seam("reload.plugins", _RELOAD + "tell_plugins", "Tells the plugins of it."),
    Seam("reload.patch", _RELOAD + "patch", "Patches what has changed."),
    Seam(
        "settle.begin", "wats_accel.settling:Settling.begin", "Looks for writes that nobody has seen begin."
    ),
    Seam("settle.over", "wats_accel.settling:Settling.is_over", "Says whether they are over."),
    Seam("patch.resolve", "wats_accel.patching.resolver:resolve", "Finds the method to be patched."),
    Seam("patch.wrap", "wats_accel.patching.wrapping:wrapped", "Makes the wrappers of a method."),
    Seam("patch.stand_in", "wats_accel.patching.stand_in:stand_in", "Dresses a wrapper as the method."),
    Seam("patch.restore", "wats_accel.patching.places:restore", "Gives a class its method back."),
    # -- the pool
    Seam("pool.key", _POOL + "arguments:Arguments.key", "Compares the arguments of connects."),
    Seam("pool.create", _POOL + "connection_pool:ConnectionPool.__init__", "Makes a pool."),
    Seam("pool.checkout", _POOL + "connection_pool:ConnectionPool._lend", "Takes a connection from a pool."),
    Seam("pool.fitness", _POOL + "fitness:Fitness.why_unfit", "Judges an idle connection."),
    Seam("pool.lease", _POOL + "connection_pool:ConnectionPool._lease", "Notes who has a connection."),
    Seam("pool.know", _POOL + "connection_pool:ConnectionPool.opened", "Gets to know a new connection."),
    Seam("pool.checkin", _POOL + "connection_pool:ConnectionPool.take_back", "Takes a connection back."),
    Seam("pool.reset", _POOL + "cleansing:cleanse", "Makes a session as good as new."),
    Seam("pool.ping", _POOL + "dialects:Sqlite.is_alive", "Asks a connection for a sign of life."),
    Seam("pool.history", _POOL + "cleansing:_has_history", "Asks what a session remembers."),
    Seam("pool.bury", _POOL + "corpses:bury", "Has a closed connection be as closed ones are."),
    Seam("pool.close", _POOL + "connection_pool:ConnectionPool.close", "Closes idle connections."),
    Seam("queue.take", _POOL + "connection_queue:ConnectionQueue.take", "Takes one from the queue."),
    Seam("queue.give_back", _POOL + "connection_queue:ConnectionQueue.give_back", "Puts one back."),
    Seam("queue.discard", _POOL + "connection_queue:ConnectionQueue.discard", "Closes one."),
    Seam("proxy.connection", _POOL + "connections:connection_proxy", "Stands in for a connection."),
    Seam("proxy.dependent", _POOL + "connections:dependent_proxy", "Stands in for a cursor."),
    Seam("call.before", _POOL + "calls:Call.before", "Prepares a call of the driver."),
    Seam("call.settle", _POOL + "calls:Call.settle", "Sees what a call has done."),
    Seam("call.failed", _POOL + "calls:Call.failed", "Sees what a call that raised has done."),
    Seam("lease.enter", _POOL + "lease:Lease.enter", "Begins a call of the driver."),
    Seam("lease.leave", _POOL + "lease:Lease.leave", "Ends a call of the driver."),
    Seam("lease.end", _POOL + "lease:Lease.end", "Ends a user's time with a connection."),
    Seam("lease.failed", _POOL + "lease:Lease.failed", "Looks at what the driver has raised."),
    Seam("statement.effect", _POOL + "statements:effect_of", "Says what a statement leaves in its session."),
    Seam("statement.change", _POOL + "changes:change_of", "Says whether a statement changes data."),
    Seam("uncommitted.begin", _POOL + "uncommitted:Uncommitted.begin", "Notes that data may change."),
    Seam("uncommitted.settle", _POOL + "uncommitted:Uncommitted.settle", "Sees what a call has changed."),
    # -- SQL
    Seam("sql.facts", "wats_accel.sql.statement:facts_of", "Reads a statement."),
    Seam("sql.schema", "wats_accel.schema_source:SchemaSource.schema", "Says what is known of the database."),
    Seam("sql.effect", "wats_accel.sql.schema:Schema.effect", "Says what a statement reads and changes."),
    Seam("sql.call", _TRACKING + "analyses:Analyses.of_call", "Remembers what statements do."),
    Seam("sql.footprint", _TRACKING + "seen:Footprints.of", "Notes what is read together."),
    Seam("tracker.before", _TRACKING + "tracker:Tracker.before", "Sees a call of the driver begin."),
    Seam("tracker.after", _TRACKING + "tracker:Tracker.after", "Sees it end."),
    Seam("tracker.drop", _TRACKING + "dropping:Dropper.drop", "Drops what a change concerns."),
    Seam("tracker.why_not_keep", _TRACKING + "tracker:Tracker.why_not_keep", "Judges what a load has read."),
    Seam("tracker.readers", _TRACKING + "readers:Readers.note", "Notes which method reads what."),
    Seam("tracker.concerned", _TRACKING + "readers:Readers.concerned_by", "Finds the readers of a change."),
    Seam("tracker.enter", _TRACKING + "under_way:UnderWay.enter", "Notes that a change is under way."),
    Seam("tracker.leave", _TRACKING + "under_way:UnderWay.leave", "Notes that a change is over."),
)

SEAMS: Final = MappingProxyType({seam.name: seam for seam in (*_TABLE, *SHARED_SEAMS)})
"""All seams, by name."""
