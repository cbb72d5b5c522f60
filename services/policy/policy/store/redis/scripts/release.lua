-- These sessions are over; what is not known is no error. No times.
-- KEYS  1 leases  2 sessions:opened  3 sessions
-- ARGV  1 what begins the key of a source's leases, then session ids
-- The key of a source is made here, from the record: the asker knows ids only. Its hash tag is
-- that of KEYS, so it lies in the same slot.
-- Returns 0.
for index = 2, #ARGV do
  local id = ARGV[index]
  local record = redis.call('HGET', KEYS[3], id)
  if record then
    redis.call('ZREM', ARGV[1] .. cjson.decode(record).counted, id)
  end
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
end
return 0
