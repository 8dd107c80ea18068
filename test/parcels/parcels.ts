/**
 * A second saga, to see what one takes: a parcel is booked for a van, and sent if the van has room.
 *
 * The desk (in the service order) books, and the fleet (in stock) reserves a place: the parcel is sent. At its deadline the
 * desk revokes it, and the fleet frees the place again, which is the compensation; a full van is answered alike. These
 * tables and the commands in `lua/` are all that is of this saga.
 */
import type { UnfinishedOf } from '../../shared/log/saga-table.ts'
import type { RecoveryTable } from '../../shared/saga/recovery.ts'

const parcel = { van: 'id' } as const
export const contract = {
  order: { ParcelBooked: parcel, ParcelSent: parcel, ParcelRevoked: parcel, ParcelClosed: parcel },
  stock: { VanReserved: parcel, VanFreed: parcel },
} as const

export const desk = {
  emits: { open: 'ParcelBooked', revoked: 'ParcelRevoked' },
  reactions: {
    stock: {
      VanReserved: { command: 'send', emits: { sent: 'ParcelSent' } },
      VanFreed: { command: 'close', emits: { over: 'ParcelClosed' } },
    },
  },
  saga: { states: { open: 'due', revoked: 'unfinished', sent: 'packed', over: 'packed' }, fields: ['van', 'deadline'] },
} as const

export const deskRecovery: RecoveryTable<UnfinishedOf<typeof desk.saga>, 'revoke'> = {
  awaits: 'stock',
  deadline: { maxMs: 60_000, graceMs: 0 },
  repairs: [[{ state: 'open', deadline: 'past' }, 'revoke']],
}

export const fleet = {
  reactions: {
    order: {
      ParcelBooked: { command: 'reserve', emits: { reserved: 'VanReserved', freed: 'VanFreed' } },
      ParcelRevoked: { command: 'free', emits: { freed: 'VanFreed' } },
    },
  },
  saga: { states: { reserved: 'packed', freed: 'packed' }, fields: ['van'] },
} as const
