-- Times are Unix milliseconds. Put before every script of this folder.

-- ARGV gives the time, or 0 for this server's own clock: the one that all replicas share.
local function moment(given)
  if given ~= '0' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Whole numbers as text; tostring() would round large ones.
local function whole(number)
  return string.format('%.0f', number)
end

-- A lease holds while now < its score. At most 1000 at once: the rest is left to the next call,
-- and is never counted meanwhile.
local function forget_expired_leases(leases, opened, sessions, now)
  local gone = redis.call('ZRANGEBYSCORE', leases, '-inf', whole(now), 'LIMIT', 0, 1000)
  if #gone > 0 then
    redis.call('ZREM', leases, unpack(gone))
    redis.call('ZREM', opened, unpack(gone))
    redis.call('HDEL', sessions, unpack(gone))
  end
end

-- No lease ends later than one that is granted now. One that does was written while this server's
-- clock was ahead, and would keep its slot until the clock is there again: it is shortened, and
-- whoever still runs renews. At most 1000 at once.
local function shorten_leases_of_the_future(leases, now, length)
  local latest = whole(now + length)
  local ahead = redis.call('ZRANGEBYSCORE', leases, '(' .. latest, '+inf', 'LIMIT', 0, 1000)
  for _, id in ipairs(ahead) do
    redis.call('ZADD', leases, latest, id)
  end
end

-- Writes one lease, here and where else it is counted. Such a key goes by itself when nobody renews
-- any more.
local function hold(leases, opened, sessions, counting, now, length, id, began, record)
  local held = redis.call('ZSCORE', leases, id)
  if held and tonumber(held) <= now then
    redis.call('ZREM', opened, id)
  end
  local expiry = whole(now + length)
  redis.call('ZADD', leases, expiry, id)
  for _, key in ipairs(counting) do
    redis.call('ZADD', key, expiry, id)
    redis.call('PEXPIRE', key, whole(2 * length))
  end
  redis.call('ZADD', opened, 'NX', began == '0' and whole(now) or began, id)
  redis.call('HSET', sessions, id, record)
end

-- One change of what all replicas follow; returns its revision.
local function announce(revision, changes, most, kind, body)
  local number = redis.call('INCR', revision)
  redis.call('XADD', changes, 'MAXLEN', '~', most, number .. '-0', 'kind', kind, 'body', body)
  return number
end
