/** Which commands payment has: what each wants and returns, as its Lua file says. */
import { command } from '../shared/redis/command.ts'

export const createUser = command('create-user', ['log_id', 'user'], { created: ['user', 'log_id'] })
export const addFunds = command('add-funds', ['log_id', 'user', 'amount'], { added: [], unknown: [], 'too-much': [] })
/** Money that is only held may still come free: `held` is no refusal. */
export const pay = command(
  'pay',
  ['log_id', 'user', 'amount'],
  { paid: [], 'out-of-credit': [], unknown: [] },
  { held: [] },
)
export const initUsers = command(
  'init-users',
  ['log_id', 'first', 'last', 'credit'],
  { initialised: [] },
  { busy: ['user'] },
)
export const tellAgain = command('tell-again', ['log_id'], { told: [], served: [], unknown: [] })

/** What follows the entries of order and stock. */
export const hold = command('hold', ['log_id', 'order', 'user', 'total', 'lines'], {
  held: [],
  refused: [],
  waiting: [],
  repeated: [],
})
export const capture = command('capture', ['log_id', 'order', 'user?', 'total?', 'lines'], {
  captured: [],
  held: [],
  refused: [],
  waiting: [],
  repeated: [],
  unknown: [],
})
export const voidHold = command('void', ['log_id', 'item'], { voided: [], repeated: [], unknown: [] })
export const release = command('release', ['log_id', 'order', 'user', 'total'], { released: [], repeated: [] })
export const releaseIfHeld = command('release-if-held', ['log_id'], { released: [], nothing: [] })
