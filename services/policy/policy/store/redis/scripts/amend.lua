-- Puts or removes what a person changes, and writes down who did it. Times are Unix milliseconds;
-- an expiry of 0 is never.
-- KEYS  1 revision  2 changes  3 audit  4 the table  5 its expiry, if it has one
--       6 what goes together with a record that is removed, and 7 where the subject is listed for
--       it, if there is such a thing
-- ARGV  1 changes kept, about  2 audit entries kept, about  3 entries at most in the table (0: any)
--       4 subject  5 kind of the change
--       6 what must be there: '' anything, '-' nothing, or the SHA-1 of the record
--       7 record (JSON); '' removes  8 expiry  9 area  10 who, JSON
-- Returns {fate, revision, record before}; fates: 0 done, 1 nothing there, 2 overtaken, 3 full.
local subject, expected, record = ARGV[4], ARGV[6], ARGV[7]
local before = redis.call('HGET', KEYS[4], subject) or ''

if expected == '-' and before ~= '' then
  return { 2, 0, before }
end
if expected ~= '' and expected ~= '-' and (before == '' or redis.sha1hex(before) ~= expected) then
  return { 2, 0, before }
end
if record == '' then
  if before == '' then
    return { 1, 0, '' }
  end
  redis.call('HDEL', KEYS[4], subject)
  if KEYS[6] then
    redis.call('DEL', KEYS[6])
    redis.call('ZREM', KEYS[7], subject)
  end
else
  local most = tonumber(ARGV[3])
  if before == '' and most > 0 and redis.call('HLEN', KEYS[4]) >= most then
    return { 3, 0, '' }
  end
  redis.call('HSET', KEYS[4], subject, record)
end
if KEYS[5] then
  if record ~= '' and ARGV[8] ~= '0' then
    redis.call('ZADD', KEYS[5], ARGV[8], subject)
  else
    redis.call('ZREM', KEYS[5], subject)
  end
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*',
  'area', ARGV[9], 'subject', subject, 'by', ARGV[10], 'before', before, 'after', record)
local body = record == '' and subject or record
return { 0, announce(KEYS[1], KEYS[2], ARGV[1], ARGV[5], body), before }
