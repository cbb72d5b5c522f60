-- Measures a question by its windows and spends its cost in all or none. Times are Unix milliseconds.
-- KEYS  1 … one a window: HASH part -> amount, or ZSET name -> time where names are counted
-- ARGV  1 now or 0, then of each window:
--       window in ms · length of a part · parts · limit · cost · measured · name or ""
-- Returns of each window: used before, 1 if it is full else 0. Nothing was spent where an
-- enforced one is full.
local now = moment(ARGV[1])
local answer, blocked = {}, false

for at = 1, #KEYS do
  local base = 1 + 7 * (at - 1)
  local window, part, parts = tonumber(ARGV[base + 1]), tonumber(ARGV[base + 2]), tonumber(ARGV[base + 3])
  local limit, cost = tonumber(ARGV[base + 4]), tonumber(ARGV[base + 5])
  local measured, name = ARGV[base + 6], ARGV[base + 7]
  local used, known = 0, false
  if name == '' then
    local oldest = math.floor(now / part) - parts
    local counts = redis.call('HGETALL', KEYS[at])
    for field = 1, #counts, 2 do
      if tonumber(counts[field]) < oldest then
        redis.call('HDEL', KEYS[at], counts[field])
      else
        used = used + tonumber(counts[field + 1])
      end
    end
    used = math.max(0, used)
  else
    redis.call('ZREMRANGEBYSCORE', KEYS[at], '-inf', whole(now - window))
    used = redis.call('ZCARD', KEYS[at])
    known = redis.call('ZSCORE', KEYS[at], name) ~= false
  end
  local full = false
  if measured ~= 'charged' and not known then
    if cost ~= 0 then full = used + cost > limit else full = used >= limit end
  end
  blocked = blocked or (full and measured == 'enforced')
  answer[#answer + 1] = used
  answer[#answer + 1] = full and 1 or 0
end
if blocked then
  return answer
end

for at = 1, #KEYS do
  local base = 1 + 7 * (at - 1)
  local window, part = tonumber(ARGV[base + 1]), tonumber(ARGV[base + 2])
  local cost, name = tonumber(ARGV[base + 5]), ARGV[base + 7]
  if name == '' then
    if cost ~= 0 then
      redis.call('HINCRBY', KEYS[at], whole(math.floor(now / part)), cost)
      redis.call('PEXPIRE', KEYS[at], whole(window + 2 * part))
    end
  elseif cost > 0 and answer[2 * at] == 0 then
    local seen = redis.call('ZSCORE', KEYS[at], name)
    redis.call('ZADD', KEYS[at], whole(math.max(now, tonumber(seen or '0'))), name)
    redis.call('PEXPIRE', KEYS[at], whole(window + part))
  end
end
return answer
