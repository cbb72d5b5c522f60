-- These networks are nobody's any more. No times.
-- KEYS  1 revision  2 changes  3 identities  4 identities:expiry
-- ARGV  1 changes kept, about
--       then two a network: network, whose it must still be ('': whoever has it)
-- Returns {revision, networks that were removed}; revision 0: none.
local gone = {}
for index = 2, #ARGV, 2 do
  local network, whose = ARGV[index], ARGV[index + 1]
  local record = redis.call('HGET', KEYS[3], network)
  if record and (whose == '' or cjson.decode(record).identity == whose) then
    redis.call('HDEL', KEYS[3], network)
    redis.call('ZREM', KEYS[4], network)
    gone[#gone + 1] = network
  end
end
if #gone == 0 then
  return { 0, gone }
end
return { announce(KEYS[1], KEYS[2], ARGV[1], 'identities_removed', cjson.encode(gone)), gone }
