-- A page of the running sessions, newest first. Times are Unix milliseconds.
-- KEYS  1 leases  2 sessions:opened  3 sessions  4 leases:source:<counted source>, if only those
-- ARGV  1 now or 0  2 how many to skip  3 how many to give
-- Returns total, then four a session: id, began at, expiry, record (JSON).
local now, skip, most = moment(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

forget_expired_leases(KEYS[1], KEYS[2], KEYS[3], now)

local ids, total
if KEYS[4] then
  local began = {}
  ids = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. whole(now), '+inf')
  for _, id in ipairs(ids) do
    began[id] = tonumber(redis.call('ZSCORE', KEYS[2], id) or 0)
  end
  table.sort(ids, function(one, other)
    if began[one] ~= began[other] then
      return began[one] > began[other]
    end
    return one > other
  end)
  total = #ids
  local page = {}
  for index = skip + 1, math.min(skip + most, total) do
    page[#page + 1] = ids[index]
  end
  ids = page
else
  total = redis.call('ZCOUNT', KEYS[1], '(' .. whole(now), '+inf')
  ids = redis.call('ZREVRANGE', KEYS[2], skip, skip + most - 1)
end

local rows = { total }
for _, id in ipairs(ids) do
  local began = redis.call('ZSCORE', KEYS[2], id)
  local expiry = redis.call('ZSCORE', KEYS[1], id)
  local record = redis.call('HGET', KEYS[3], id)
  if began and expiry and tonumber(expiry) > now and record then
    for _, part in ipairs({ id, began, expiry, record }) do
      rows[#rows + 1] = part
    end
  end
end
return rows
