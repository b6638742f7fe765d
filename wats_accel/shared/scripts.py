"""Scripts: the steps that the server takes as one, in Lua. All of their keys have one hash tag.

The clock is a number of the server's own that each invalidation moves on, together with an epoch: a random
word that is another one when the server has lost what it knew. No clock of one computer is compared with that
of another.
"""

from __future__ import annotations

from typing import Final

_CLOCK: Final = """
local function clock(name, stream, fresh)
  local known = redis.call('HMGET', name, 'epoch', 'number')
  if known[1] and known[2] then return known[1], tonumber(known[2]) end
  redis.call('DEL', stream)
  redis.call('HSET', name, 'epoch', fresh, 'number', 0)
  return fresh, 0
end
"""

_TAG: Final = """
local function moved(name) return tonumber(redis.pcall('GET', name)) end
local function tag(name, number, ms)
  -- One that is not there, since memory ran short perhaps, may have been moved on at any time until now. One
  -- that is ahead is of another epoch, and has not been moved on in this one.
  local known = moved(name)
  if known and known <= number then return known end
  redis.call('SET', name, number, 'PX', ms)
  return number
end
"""

FIND: Final = (
    _CLOCK
    + _TAG
    + """
-- KEYS: clock, stream, answer, lease, tags
-- ARGV: fresh epoch, lease's holder, its ms, tags' ms, most ms of age
local epoch, number = clock(KEYS[1], KEYS[2], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Whatever somebody has put there instead is none.
local kept = redis.pcall('HMGET', KEYS[3], 'epoch', 'number', 'value', 'began', 'tags')
local function digits(text) return tonumber(string.match(text or '', '^%d+$')) end
local since, began = digits(kept[2]), digits(kept[4])
if kept[1] == epoch and since and kept[3] and began and kept[5] then
  local good = ARGV[5] == '0' or now - began <= tonumber(ARGV[5])
  for i = 5, #KEYS do
    local at = moved(KEYS[i])
    good = good and at and at <= since
  end
  for name in string.gmatch(kept[5], '[^ ]+') do
    local at = moved(name)
    good = good and at and at <= since
  end
  if good then return {1, kept[3], kept[2], redis.call('PTTL', KEYS[3]), epoch, now - began} end
  redis.call('DEL', KEYS[3])
end
for i = 5, #KEYS do tag(KEYS[i], number, ARGV[4]) end
local holder = redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[3], 'NX')
-- Its holder wakes whoever waits, if there is anybody.
if not holder and redis.call('GETRANGE', KEYS[4], -1, -1) ~= '+' then redis.call('APPEND', KEYS[4], '+') end
return {0, epoch, number, holder and 1 or 0, redis.call('PTTL', KEYS[4]), now}
"""
)

_LET_GO: Final = """
local function let_go(lease, holder, ready, answer)
  local held = redis.call('GET', lease)
  if held ~= holder and held ~= holder .. '+' then return 0 end
  redis.call('DEL', lease)
  if held ~= holder then
    redis.call('XADD', ready, 'MAXLEN', '~', 1000, '*', 'answer', answer)
    redis.call('PEXPIRE', ready, 60000)
  end
  return 1
end
"""

KEEP: Final = (
    _CLOCK
    + _TAG
    + _LET_GO
    + """
-- KEYS: clock, stream, answer, lease, ready, tags, tags of tables
-- ARGV: fresh epoch, holder, tags' ms, epoch, number, value, ms to live, began, how many tags are of tables
local epoch, number = clock(KEYS[1], KEYS[2], ARGV[1])
local good = epoch == ARGV[4]
local tables = {}
for i = 6, #KEYS do
  good = tag(KEYS[i], number, ARGV[3]) <= tonumber(ARGV[5]) and good
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
  if i > #KEYS - tonumber(ARGV[9]) then tables[#tables + 1] = KEYS[i] end
end
if good then
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'epoch', epoch, 'number', ARGV[5], 'value', ARGV[6], 'began', ARGV[8],
    'tags', table.concat(tables, ' '))
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
end
let_go(KEYS[4], ARGV[2], KEYS[5], KEYS[3])
return good and 1 or 0
"""
)

RELEASE: Final = (
    _LET_GO
    + """
-- KEYS: answer, lease, ready; ARGV: holder
return let_go(KEYS[2], ARGV[1], KEYS[3], KEYS[1])
"""
)

ANNOUNCE: Final = (
    _CLOCK
    + """
-- KEYS: clock, stream, tags; ARGV: fresh epoch, tags' ms, most messages, nonce, sender, message
local epoch, number = clock(KEYS[1], KEYS[2], ARGV[1])
number = redis.call('HINCRBY', KEYS[1], 'number', 1)
for i = 3, #KEYS do redis.call('SET', KEYS[i], number, 'PX', ARGV[2]) end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], number .. '-0',
  'nonce', ARGV[4], 'sender', ARGV[5], 'message', ARGV[6])
return {epoch, number}
"""
)

BEAT: Final = (
    _CLOCK
    + """
-- KEYS: clock, stream, members
-- ARGV: fresh epoch, member, ms until one is lost, ms until it is forgotten, last number, latest ms or 0
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A network may bring it long after it was sent, when its sender is cut off: then it says nothing.
if ARGV[6] ~= '0' and now > tonumber(ARGV[6]) then return {} end
local epoch, number = clock(KEYS[1], KEYS[2], ARGV[1])
local mine = redis.call('ZSCORE', KEYS[3], ARGV[2])
local latest = redis.call('ZREVRANGEBYSCORE', KEYS[3], '(inf', '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
local set_back = latest and tonumber(latest) - now or 0
if set_back > 0 then
  -- The clock has been set back: how long these have been silent nobody knows, until they say that they live.
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. now, '(inf')) do
    if name ~= ARGV[2] then redis.call('ZADD', KEYS[3], now - tonumber(ARGV[3]) - 1, name) end
  end
end
local alive = redis.call('ZCOUNT', KEYS[3], now - tonumber(ARGV[3]), '(inf')
if not redis.call('ZSCORE', KEYS[3], '-') or (not mine and alive == 0) or set_back > 1000 then
  -- It has forgotten who was there, and so who may be missing: whoever knows puts them back in a new epoch.
  -- Or nobody is there who would know whether it has lost anything, as from an older copy of its memory.
  -- Or nobody knows how old its answers are, since its clock was set back by more than a moment.
  epoch, number = ARGV[1], 0
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'number', number)
  redis.call('ZADD', KEYS[3], '+inf', '-')
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. (now - tonumber(ARGV[4])))
local lost = redis.call('ZCOUNT', KEYS[3], '-inf', '(' .. (now - tonumber(ARGV[3])))
if mine and tonumber(mine) < now - tonumber(ARGV[3]) then lost = lost - 1 end
redis.call('ZADD', KEYS[3], now, ARGV[2])
local found = redis.call('XRANGE', KEYS[2], ARGV[5] .. '-0', ARGV[5] .. '-0')
local nonce = ''
if found[1] then nonce = found[1][2][2] end
return {epoch, number, nonce, lost, redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(inf'), now}
"""
)

TIME: Final = """
-- KEYS: any one of ours: a cluster has many clocks
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)
"""

MISS: Final = """
-- KEYS: members; ARGV: ms until one is lost, members
local time = redis.call('TIME')
local silent = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1]) - 1
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'NX', silent, ARGV[i]) end
return 0
"""

BEGIN_ANEW: Final = """
-- KEYS: clock, stream; ARGV: the epoch that is over, the one that begins
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'number', 0)
end
return redis.call('HGET', KEYS[1], 'epoch')
"""
