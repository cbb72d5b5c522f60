-- These sessions go on; a lease that was lost is made again. Times are Unix milliseconds.
-- KEYS  1 leases  2 sessions:opened  3 sessions  4… where each session is counted, in their order:
--       leases:source:<counted source>, leases:destination:<address>, and
--       leases:identity:<identity> if it has one
-- ARGV  1 now or 0  2 length, ms; then four a session: id, began at (0: now), record (JSON), how
--       many of the keys are its own
-- Returns 0.
local now, length = moment(ARGV[1]), tonumber(ARGV[2])

forget_expired_leases(KEYS[1], KEYS[2], KEYS[3], now)
local first = 4
for at = 3, #ARGV, 4 do
  local following = first + tonumber(ARGV[at + 3])
  local counting = { unpack(KEYS, first, following - 1) }
  hold(KEYS[1], KEYS[2], KEYS[3], counting, now, length, ARGV[at], ARGV[at + 1], ARGV[at + 2])
  first = following
end
return 0
