-- These sessions go on; a lease that was lost is made again. Times are Unix milliseconds.
-- KEYS  1 leases  2 sessions:opened  3 sessions  4… leases:source:<counted source>, one a session
-- ARGV  1 now or 0  2 length, ms; then three a session: id, began at (0: now), record (JSON)
-- Returns 0.
local now, length = moment(ARGV[1]), tonumber(ARGV[2])

forget_expired_leases(KEYS[1], KEYS[2], KEYS[3], now)
for index = 1, #KEYS - 3 do
  local at = 3 * index
  hold(KEYS[1], KEYS[2], KEYS[3], KEYS[index + 3], now, length, ARGV[at], ARGV[at + 1], ARGV[at + 2])
end
return 0
