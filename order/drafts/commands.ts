/** Which commands order has about drafts: what follows the entries of payment, and what each returns, as its Lua file says. */
import { command } from '../../shared/redis/command.ts'

export const noteDraft = command('note-draft', ['log_id', 'order', 'user', 'total', 'order_version'], {
  drafted: ['told'],
  requested: [],
  deferred: [],
  forgotten: [],
  repeated: [],
})
export const noteVoid = command('note-void', ['log_id', 'order', 'order_version'], {
  requested: [],
  deferred: [],
  nothing: [],
})
