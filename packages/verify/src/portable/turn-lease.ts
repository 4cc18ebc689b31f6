/** The clocks of a Worker stand still between its turns, and are cheap to read. */
export { Lease as TurnLease } from '../edge/lease.ts'
