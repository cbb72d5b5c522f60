-- These sessions are over; what is not known is no error. No times.
-- KEYS  1 leases  2 sessions:opened  3 sessions
-- ARGV  1 what begins the key of a source's leases  2 of a destination's  3 of an identity's, then
--       session ids
-- Those keys are made here, from the record: the asker knows ids only. Their hash tag is that of
-- KEYS, so they lie in the same slot.
-- Returns 0.
for index = 4, #ARGV do
  local id = ARGV[index]
  local text = redis.call('HGET', KEYS[3], id)
  if text then
    local record = cjson.decode(text)
    redis.call('ZREM', ARGV[1] .. record.counted, id)
    redis.call('ZREM', ARGV[2] .. record.destination, id)
    redis.call('ZREM', ARGV[3] .. record.identity, id)
  end
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
end
return 0
