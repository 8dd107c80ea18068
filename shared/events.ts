/**
 * What may one service tell another?
 *
 * The dictionary of the shop: every kind of entry a service may write into its log, with the facts it carries. A kind is
 * a noun and a past participle, and belongs to one service, its speaker. Facts are what a listener needs to act, or to
 * rebuild what it lost. Adding a saga means adding rows here; an entry is never changed once it was said, so a fact that
 * changes its meaning gets a new `VERSION`.
 *
 * On the wire an entry is flat: `kind`, `version`, `log_id`, then its facts by name, all text. Its stream id says when.
 */

export const VERSION = '1'

export type Service = 'ids' | 'order' | 'payment' | 'stock'

/**
 * The types of facts: `id` an identifier; `amount` an integer from 0 to 2^53-1; `lines` items and quantities as
 * `item:quantity,item:quantity`; `time` milliseconds since 1970; `text` anything.
 */
export type FactType = 'id' | 'amount' | 'lines' | 'time' | 'text'

/** A fact with a question mark may be missing: entries of an older version do not have it. */
type Fact = FactType | `${FactType}?`
type Facts = Readonly<Record<string, Fact>>

/** What every entry of a checkout bears, so that each listener can act on it without asking anybody. */
const checkout = { order: 'id', user: 'id', total: 'amount' } as const satisfies Facts

export const events = {
  ids: {
    BlockLeased: { replica: 'text', block: 'amount' },
    IdentifierGiven: { identifier: 'id' },
  },
  order: {
    OrderCreated: { order: 'id', user: 'id' },
    LineAdded: { order: 'id', item: 'id', quantity: 'amount', price: 'amount' },
    OrdersInitialised: {
      first: 'amount',
      last: 'amount',
      items: 'amount',
      users: 'amount',
      price: 'amount',
      seed: 'amount',
    },
    CheckoutStarted: { ...checkout, lines: 'lines', deadline: 'time' },
    OrderPaid: checkout,
    CheckoutFailed: { ...checkout, reason: 'text', item: 'text' },
    CheckoutCancelled: checkout,
    CheckoutClosed: checkout,
    CheckoutContradicted: checkout,
  },
  payment: {
    UserCreated: { user: 'id' },
    FundsAdded: { user: 'id', amount: 'amount' },
    CreditSpent: { user: 'id', amount: 'amount' },
    UsersInitialised: { first: 'amount', last: 'amount', credit: 'amount', replaced: 'amount' },
    CreditHeld: { ...checkout, lines: 'lines' },
    CreditRefused: { ...checkout, reason: 'text' },
    CreditCaptured: { ...checkout, lines: 'lines?' },
    CreditVoided: { ...checkout, reason: 'text', item: 'text' },
    CreditReleased: checkout,
  },
  stock: {
    ItemCreated: { item: 'id', price: 'amount' },
    StockAdded: { item: 'id', amount: 'amount' },
    StockSubtracted: { item: 'id', amount: 'amount' },
    ItemsInitialised: { first: 'amount', last: 'amount', stock: 'amount', price: 'amount', replaced: 'amount' },
    StockTaken: { order: 'id', user: 'id?', total: 'amount?', lines: 'lines' },
    StockRefused: { order: 'id', item: 'text' },
    StockReturned: { order: 'id', lines: 'lines' },
  },
} as const satisfies Record<Service, Record<string, Facts>>

/**
 * Deeds that are complete in themselves and part of no saga: nobody acts on them, so nobody could say them again if the
 * speaker lost them.
 */
export const single = {
  ids: ['BlockLeased', 'IdentifierGiven'],
  order: ['OrderCreated', 'LineAdded', 'OrdersInitialised'],
  payment: ['UserCreated', 'FundsAdded', 'CreditSpent', 'UsersInitialised'],
  stock: ['ItemCreated', 'StockAdded', 'StockSubtracted', 'ItemsInitialised'],
} as const satisfies { readonly [Speaker in Service]: readonly (keyof (typeof events)[Speaker])[] }

/** A kind of entry that `Speaker` may say. */
export type KindOf<Speaker extends Service> = keyof (typeof events)[Speaker] & string
export type Kind = { [Speaker in Service]: KindOf<Speaker> }[Service]

const PATTERNS: Record<FactType, RegExp> = {
  id: /^[A-Za-z0-9_-]{1,64}$/,
  amount: /^(0|[1-9]\d{0,15})$/,
  lines: /^([A-Za-z0-9_-]{1,64}:[1-9]\d{0,15}(,(?!$)|$))*$/,
  time: /^\d{13,14}$/,
  text: /^.*$/s,
}

/** An entry as Redis gives it: its stream id, and its fields and values in turn. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

/** The value of one field of a raw entry. */
export const field = ([, fields]: RawEntry, name: string): string | undefined => {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return fields[index + 1]
  return undefined
}

/** The facts that a kind carries; a kind comes from outside, and may be named as something that every object has. */
const factsOf = (speaker: Service, kind: string): Facts | undefined =>
  Object.hasOwn(events[speaker], kind) ? (events[speaker] as Record<string, Facts>)[kind] : undefined

/**
 * Says what is wrong with an entry that `speaker` said, in words, or `undefined` if a listener may act on it. Facts that
 * the dictionary does not know are no fault: a newer version may say more.
 */
export const fault = (speaker: Service, entry: RawEntry): string | undefined => {
  const kind = field(entry, 'kind')
  if (kind === undefined) return 'it has no kind'
  const facts = factsOf(speaker, kind)
  if (facts === undefined) return `its kind "${kind}" is unknown`
  const version = field(entry, 'version')
  if (version !== VERSION) return `its version "${version}" is unknown`
  if (!PATTERNS.id.test(field(entry, 'log_id') ?? '')) return 'it has no log_id'
  for (const name in facts) {
    const value = field(entry, name)
    const fact = facts[name] as Fact
    const mayBeMissing = fact.endsWith('?')
    if (value === undefined && mayBeMissing) continue
    if (value === undefined) return `it lacks "${name}"`
    const type = (mayBeMissing ? fact.slice(0, -1) : fact) as FactType
    if (!PATTERNS[type].test(value) || (type === 'amount' && !Number.isSafeInteger(Number(value))))
      return `its "${name}" is malformed`
  }
  return undefined
}

/** An item and how many of it. */
export type Line = readonly [item: string, quantity: number]

/** Reads `item:quantity,item:quantity`. */
export const parseLines = (lines: string): readonly Line[] =>
  lines === ''
    ? []
    : lines.split(',').map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), Number(line.slice(colon + 1))] as const
      })
