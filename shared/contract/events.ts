/**
 * Which entries may one service emit for another?
 *
 * The dictionary of the shop: every kind of entry a service may write into its log, with the facts it carries. A kind is
 * a noun and a past participle, and belongs to one service, its publisher. Facts are what a subscriber needs to act, or to
 * rebuild what it lost. Adding a saga means adding rows here; an entry is never changed once it was appended, so a fact that
 * changes its meaning gets a new `VERSION`.
 *
 * On the wire an entry is one field: its name is the kind, its value all the rest in one text,
 * `version=1 log_id=... order=... total=3 lines=tea:1,cup:2`. No name or value holds a blank. A subscriber checks that text
 * by one expression and has it applied untouched. Its stream id says when. Entries of an older version are *flat*: `kind`,
 * `version`, `log_id` and each fact are fields of their own. They are understood as well; an older version, to which one of
 * this form has no kind, puts it aside in its dead letters.
 */

export const VERSION = '1'

export type Service = 'ids' | 'order' | 'payment' | 'stock'

/**
 * The types of facts: `id` an identifier; `amount` an integer from 0 to 2^53-1; `lines` items and quantities as
 * `item:quantity,item:quantity`; `costs` what each of them costs, in the same form; `time` milliseconds since 1970; `word` anything
 * without a blank, or nothing.
 */
export type FactType = 'id' | 'amount' | 'lines' | 'costs' | 'time' | 'word'

/** A fact with a question mark may be missing: entries of an older version do not have it. */
export type Fact = FactType | `${FactType}?`
export type Facts = Readonly<Record<string, Fact>>

/** What every entry of a checkout bears, so that each subscriber can act on it without asking. */
const checkout = { order: 'id', user: 'id', total: 'amount' } as const satisfies Facts

/**
 * What every entry of a refund bears: which pieces of an order go back, for how much, and whether onto the shelf or not (`shelf`
 * or `none`). It is all that a service needs to act, and to tell the others what they have lost.
 */
const refund = { ...checkout, lines: 'lines', restock: 'word' } as const satisfies Facts

/** On what terms an item is sold from then on. */
const offer = { item: 'id', price: 'amount', item_version: 'amount' } as const satisfies Facts

/** Which sagas, separated by commas, are not over: see `shared/saga/lua/survey.lua`. */
const survey = { open: 'word' } as const satisfies Facts

export const events = {
  ids: {
    BlockLeased: { replica: 'word', block: 'amount' },
    IdentifierGiven: { identifier: 'id' },
  },
  order: {
    OrderCreated: { order: 'id', user: 'id' },
    OrderPlaced: {
      order: 'id',
      user: 'id',
      total: 'amount',
      lines: 'lines',
      costs: 'costs',
      method: 'word?',
      installments: 'amount?',
    },
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
    CheckoutFailed: { ...checkout, reason: 'word', item: 'word' },
    CheckoutCancelled: checkout,
    CheckoutClosed: checkout,
    CheckoutContradicted: { ...checkout, by: 'word?' },
    CheckoutResolved: { ...checkout, by: 'word', why: 'word' },
    RefundGranted: refund,
    RefundSettled: { ...checkout, lines: 'lines' },
    CheckoutsSurveyed: survey,
  },
  payment: {
    UserCreated: { user: 'id' },
    FundsAdded: { user: 'id', amount: 'amount' },
    CreditSpent: { user: 'id', amount: 'amount' },
    UsersInitialised: { first: 'amount', last: 'amount', credit: 'amount', replaced: 'amount' },
    CreditHeld: { ...checkout, lines: 'lines' },
    CreditRefused: { ...checkout, reason: 'word' },
    CreditCaptured: { ...checkout, lines: 'lines?' },
    CreditVoided: { ...checkout, reason: 'word', item: 'word' },
    CreditReleased: checkout,
    CreditRefunded: { ...refund, note: 'word?' },
    CreditsSurveyed: survey,
    SurveyEnded: survey,
  },
  stock: {
    ItemCreated: { item: 'id', price: 'amount' },
    StockAdded: { item: 'id', amount: 'amount' },
    StockSubtracted: { item: 'id', amount: 'amount' },
    ItemsInitialised: {
      first: 'amount',
      last: 'amount',
      stock: 'amount',
      price: 'amount',
      replaced: 'amount',
      item_version: 'amount?',
    },
    PriceChanged: offer,
    ItemWithdrawn: offer,
    ItemOffered: offer,
    StockTaken: { order: 'id', user: 'id?', total: 'amount?', lines: 'lines' },
    StockRefused: { order: 'id', item: 'word' },
    StockReturned: { order: 'id', lines: 'lines' },
    StockRestocked: refund,
    StockWrittenOff: refund,
    GoodsSurveyed: survey,
  },
} as const satisfies Record<Service, Record<string, Facts>>

/**
 * Commands that are complete in themselves and part of no saga: no service acts on them, so none could emit them again if the
 * publisher lost them.
 */
export const single = {
  ids: ['BlockLeased', 'IdentifierGiven'],
  order: ['OrderCreated', 'OrderPlaced', 'LineAdded', 'OrdersInitialised'],
  payment: ['UserCreated', 'FundsAdded', 'CreditSpent', 'UsersInitialised'],
  stock: [
    'ItemCreated',
    'StockAdded',
    'StockSubtracted',
    'ItemsInitialised',
    'PriceChanged',
    'ItemWithdrawn',
    'ItemOffered',
  ],
} as const satisfies { readonly [Publisher in Service]: readonly (keyof (typeof events)[Publisher])[] }

/** Which kinds of entries each service may emit, with the facts that they carry; `events` is that of the shop. */
export type Contract = Readonly<Partial<Record<Service, Readonly<Record<string, Facts>>>>>

/** A kind of entry that `Publisher` may emit. */
export type KindOf<Publisher extends Service, Of extends Contract = typeof events> = Publisher extends keyof Of
  ? keyof Of[Publisher] & string
  : never
export type Kind = { [Publisher in Service]: KindOf<Publisher> }[Service]

const ID = '[A-Za-z0-9_-]{1,64}'
const LINE = `${ID}:[1-9]\\d{0,15}`
const COST = `${ID}:(?:0|[1-9]\\d{0,15})`
const SHAPES: Record<FactType, string> = {
  id: ID,
  amount: '(?:0|[1-9]\\d{0,15})',
  lines: `(?:${LINE}(?:,${LINE})*)?`,
  costs: `(?:${COST}(?:,${COST})*)?`,
  time: '\\d{13,14}',
  word: '\\S*',
}
const patternOf = (shape: string): RegExp => new RegExp(`^${shape}$`)
export const IDENTIFIER = patternOf(ID)
/** What an id consists of, in the words of a complaint. */
export const IDENTIFIER_FORM = '1 to 64 letters, digits, "_" or "-"'
/** May this be the id of something, in an entry and in a path alike? */
export const isIdentifier = (text: string): boolean => IDENTIFIER.test(text)
const PATTERNS = Object.fromEntries(Object.entries(SHAPES).map(([type, shape]) => [type, patternOf(shape)])) as Record<
  FactType,
  RegExp
>
/** Amounts of which the number of digits says that they are not too large. */
const USUAL_SHAPES = { ...SHAPES, amount: '(?:0|[1-9]\\d{0,14})' }

const typeOf = (fact: Fact): { readonly type: FactType; readonly mayBeMissing: boolean } =>
  fact.endsWith('?')
    ? { type: fact.slice(0, -1) as FactType, mayBeMissing: true }
    : { type: fact as FactType, mayBeMissing: false }

/** The text of an entry as this version emits it: each fact in its place, and no other. */
const usualText = (facts: Facts): RegExp => {
  const shapes = Object.entries(facts).map(([name, fact]) => {
    const { type, mayBeMissing } = typeOf(fact)
    return `(?: ${name}=${USUAL_SHAPES[type]})${mayBeMissing ? '?' : ''}`
  })
  return patternOf(`version=${VERSION} log_id=${ID}${shapes.join('')}`)
}

type Schema = { readonly facts: Facts; readonly usual: RegExp }
type SchemaOf = (publisher: Service, kind?: string) => Schema | undefined
/** The schema of each kind of entry. A kind comes from outside, and may be named as something that every object has: hence maps. */
const schemasIn = (contract: Contract): SchemaOf => {
  const publishers = new Map(
    Object.entries(contract).map(([publisher, kinds]) => [
      publisher,
      new Map(
        Object.entries(kinds).map(([kind, facts]): [string, Schema] => [kind, { facts, usual: usualText(facts) }]),
      ),
    ]),
  )
  return (publisher, kind = '') => publishers.get(publisher)?.get(kind)
}

/** An entry as Redis gives it: its stream id, and its fields and values in turn. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

/** The text of an entry of the present form; `undefined` if it is flat. */
const packedText = ([, fields]: RawEntry): string | undefined =>
  fields.length === 2 && fields[1]?.startsWith('version=') ? fields[1] : undefined

export const isFlat = (entry: RawEntry): boolean => packedText(entry) === undefined

/** The fields of an entry, its kind first, as names and values. A piece of its text that is neither has the name `''`. */
export const fieldsOf = (entry: RawEntry): readonly (readonly [name: string, value: string])[] => {
  const text = packedText(entry)
  const [, fields] = entry
  const pairs: [string, string][] = []
  if (text === undefined) {
    for (let at = 0; at < fields.length; at += 2) pairs.push([fields[at] ?? '', fields[at + 1] ?? ''])
    return pairs
  }
  pairs.push(['kind', fields[0] ?? ''])
  for (const piece of text.split(' ')) {
    const end = piece.indexOf('=')
    pairs.push(end < 1 ? ['', piece] : [piece.slice(0, end), piece.slice(end + 1)])
  }
  return pairs
}

/** The value of one field of an entry. */
export const field = (entry: RawEntry, name: string): string | undefined =>
  fieldsOf(entry).find(([one]) => one === name)?.[1]

export const kindOf = (entry: RawEntry): string | undefined =>
  packedText(entry) === undefined ? field(entry, 'kind') : entry[1][0]

const reasonFor = (schemaOf: SchemaOf, publisher: Service, entry: RawEntry): string | undefined => {
  const given = new Map<string, string>()
  for (const [name, value] of fieldsOf(entry)) {
    if (name === '') return `it says "${value}", which is no fact`
    if (given.has(name)) return `it says "${name}" twice`
    given.set(name, value)
  }
  const kind = given.get('kind')
  if (kind === undefined) return 'it has no kind'
  const facts = schemaOf(publisher, kind)?.facts
  if (facts === undefined) return `its kind "${kind}" is unknown`
  const version = given.get('version')
  if (version !== VERSION) return `its version "${version}" is unknown`
  if (!PATTERNS.id.test(given.get('log_id') ?? '')) return 'it has no log_id'
  for (const [name, fact] of Object.entries(facts)) {
    const value = given.get(name)
    const { type, mayBeMissing } = typeOf(fact)
    if (value === undefined && mayBeMissing) continue
    if (value === undefined) return `it lacks "${name}"`
    if (!PATTERNS[type].test(value) || (type === 'amount' && !Number.isSafeInteger(Number(value))))
      return `its "${name}" is malformed`
  }
  return undefined
}

/** How entries are held against a contract. */
export type Dictionary = {
  /**
   * Why an entry of `publisher` is invalid, in words, or `undefined` if a subscriber may act on it. Facts that
   * the dictionary does not know are no fault: a newer version may say more.
   */
  readonly invalidReason: (publisher: Service, entry: RawEntry) => string | undefined
  /** The text of a faultless entry of either form: of a flat one, with the facts that the dictionary knows. */
  readonly textOf: (publisher: Service, entry: RawEntry) => string
}

export const dictionaryOf = (contract: Contract): Dictionary => {
  const schemaOf = schemasIn(contract)
  return {
    invalidReason: (publisher, entry) => {
      const text = packedText(entry)
      if (text !== undefined && schemaOf(publisher, entry[1][0])?.usual.test(text)) return undefined
      return reasonFor(schemaOf, publisher, entry)
    },
    textOf: (publisher, entry) => {
      const text = packedText(entry)
      if (text !== undefined) return text
      const facts = schemaOf(publisher, kindOf(entry))?.facts ?? {}
      return fieldsOf(entry)
        .filter(([name]) => name === 'version' || name === 'log_id' || Object.hasOwn(facts, name))
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')
    },
  }
}

export const { invalidReason, textOf } = dictionaryOf(events)

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
