/**
 * Is an entry what the contract says?
 *
 * A subscriber holds each entry of a peer against the dictionary: of the usual form by one expression, of any other fact by fact.
 */

import { type Contract, events, type Fact, type Facts, type FactType, VERSION } from './events.ts'
import { fieldsOf, kindOf, packedText, type RawEntry } from './raw-entry.ts'
import type { Service } from './services.ts'

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

/** The text of an entry as this version emits it: each fact in its place, then of which trace it is, and no other. */
const usualText = (facts: Facts): RegExp => {
  const shapes = Object.entries(facts).map(([name, fact]) => {
    const { type, mayBeMissing } = typeOf(fact)
    return `(?: ${name}=${USUAL_SHAPES[type]})${mayBeMissing ? '?' : ''}`
  })
  return patternOf(`version=${VERSION} log_id=${ID}${shapes.join('')}(?: trace=[0-9a-f-]{55})?`)
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
