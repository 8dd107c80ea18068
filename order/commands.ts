/** Which commands order has: what each wants and returns, as its Lua file says. */
import { impossible } from '../shared/errors.ts'
import { type Content, command, type Remembered, type ResultOnce } from '../shared/redis/command.ts'
import { type Ended, endedOf } from './order.ts'

/** A checkout that a command has decided, or found decided; with what it has locked, and the entry that says so. */
export type Decision = Ended & {
  readonly order: string
  readonly user: string
  readonly token: string
  readonly total: string
  readonly entry: string
  /** The version of the order that it amends; '' of a checkout. */
  readonly amends: string
}

const isText = (one: unknown): one is string => typeof one === 'string'

/** What follows a result that decides: see `decision` of `checkout/lua/checkout.lua`. */
export const decision: Content<Decision> = {
  name: 'decision',
  read: (reply) => {
    if (!reply.every(isText)) return impossible('order.decision', reply)
    const [, id = '', state = '', reason = '', item = '', order = '', user = '', token = '', ...rest] = reply
    const [total = '0', entry = '', amends = ''] = rest
    const ended = endedOf({ id, state, reason, item }) ?? impossible('order.decision', reply)
    return { ...ended, order, user, token, total, entry, amends }
  },
}

/** What comes over the channel of outcomes: the same without the token; `undefined` if it is not understood. */
export const announced = (message: string): Decision | undefined => {
  const [id = '', state = '', reason = '', item = '', order = '', user = '', total = '0', entry = '', amends = ''] =
    message.split(' ')
  const ended = endedOf({ id, state, reason, item })
  return ended && { ...ended, order, user, token: '', total, entry, amends }
}

const stranger = { stranger: [] } as const
export const createOrder = command(
  'create-order',
  ['log_id', 'order', 'user', 'customer?'],
  { created: ['order', 'log_id'] },
  stranger,
)
export const place = command(
  'place',
  ['log_id', 'order', 'user', 'total', 'lines', 'costs', 'method?', 'installments?', 'customer?'],
  { placed: ['order', 'log_id', 'number', 'at', 'costs'] },
  stranger,
)
export const placeAndSubmit = command(
  'place-and-submit',
  ['log_id', 'order', 'user', 'total', 'method', 'installments', 'saga', 'once', 'timeout_ms', 'most'],
  { submitted: ['order', 'log_id', 'saga'] },
  { full: [] },
)
export const addItem = command(
  'add-item',
  ['log_id', 'order', 'item', 'quantity', 'price', 'min?', 'max?'],
  {
    // Keys may remember what was added by an older version, without the price.
    added: ['price?'],
    unknown: [],
    'too-much': [],
    full: [],
    closed: ['status'],
    beyond: ['method', 'installments', 'total'],
  },
  { bounded: ['method', 'installments'] },
)
export const initOrders = command(
  'init-orders',
  ['log_id', 'first', 'last', 'items', 'users', 'price', 'seed'],
  { initialised: [] },
  { busy: ['order'] },
)

/** What a checkout of an order returns that will never be paid. */
const over = { 'order-cancelled': [], 'order-expired': [] } as const

/** Keys may remember that an order was paid by an older version, without the saga. */
export const begin = command(
  'begin',
  ['log_id', 'order', 'user', 'token', 'timeout_ms', 'saga?', 'lines?', 'again?'],
  { begun: ['saga'], submitted: ['saga'], 'checking-out': ['saga'], paid: ['saga?'], empty: [], ...over, unknown: [] },
  { cancelling: ['saga'], 'order-changing': [], moved: ['user'] },
)
export const join = command(
  'join',
  ['order', 'saga'],
  { joined: ['saga'], paid: ['saga?'], empty: [], ...over },
  { changed: [], 'order-changing': [] },
)
export const submit = command(
  'submit',
  ['log_id', 'order', 'timeout_ms', 'most'],
  { submitted: ['saga'], 'checking-out': ['saga'], paid: ['saga?'], empty: [], ...over, unknown: [] },
  { cancelling: ['saga'], 'order-changing': [], full: [] },
)
/** What may be remembered under the key of a request for a checkout, whichever of the three it came to first. */
export const checkoutAnswers = { ...begin.returns, ...join.returns, ...submit.returns }
export type Begun = ResultOnce<typeof begin> | Remembered<typeof checkoutAnswers>
export type Joined = ResultOnce<typeof join> | Remembered<typeof checkoutAnswers>
export type Submitted = ResultOnce<typeof submit> | Remembered<typeof checkoutAnswers>

export const cancel = command('cancel', ['log_id', 'reason?'], {
  cancelled: decision,
  decided: decision,
  unknown: [],
})
export const resolve = command('resolve', ['log_id', 'by', 'why'], {
  resolved: ['state'],
  repeated: ['state'],
  consistent: ['state'],
  replaced: [],
  'partly-refunded': [],
  amended: [],
  unknown: [],
})
export const uphold = command(
  'uphold',
  ['log_id', 'order', 'user', 'total', 'told', 'lines?', 'deadline?', 'amends?'],
  {
    kept: [],
    lost: [],
    submitted: [],
    cancelled: decision,
    contradicted: ['saga', 'by', 'order'],
    repeated: [],
  },
)

/** What follows the entries of payment. */
export const complete = command(
  'complete',
  ['log_id', 'order', 'user', 'total', 'lines?', 'invoice?', 'amends?', 'back?', 'costs?'],
  {
    paid: decision,
    adopted: decision,
    cancelled: decision,
    repeated: [],
  },
)
export const fail = command('fail', ['log_id', 'reason', 'item?', 'note?', 'refunded?'], {
  failed: decision,
  contradicted: ['saga', 'by', 'order'],
  repeated: [],
  unknown: [],
})
export const close = command('close', ['log_id', 'note?', 'refunded?'], {
  closed: ['order?'],
  contradicted: ['saga', 'by', 'order'],
  requested: [],
  repeated: [],
  unknown: [],
})
