/** Which commands does stock run for requests? What each wants and returns, as its Lua file says. */
import { command } from '../shared/redis/command.ts'

export const createItem = command('create-item', ['log_id', 'item', 'price'], { created: ['item', 'log_id'] })
export const add = command('add', ['log_id', 'item', 'amount'], { added: [], unknown: [], 'too-much': [] })
export const subtract = command('subtract', ['log_id', 'item', 'amount'], {
  subtracted: [],
  'out-of-stock': [],
  unknown: [],
})
export const changeItem = command('change-item', ['log_id', 'item', 'versions', 'price?', 'withdrawn?'], {
  changed: ['price', 'withdrawn', 'version'],
  stale: ['version'],
  unknown: [],
})
export const initItems = command('init-items', ['log_id', 'first', 'last', 'stock', 'price'], { initialised: [] })
