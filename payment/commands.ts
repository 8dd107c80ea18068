/** Which commands does payment run for requests? What each wants and returns, as its Lua file says. */
import { command } from '../shared/redis/command.ts'

export const createUser = command('create-user', ['log_id', 'user'], {
  created: ['user', 'log_id'],
  exists: ['user'],
})
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
