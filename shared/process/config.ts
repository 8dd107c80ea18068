/**
 * How is a process set, and is that right?
 *
 * Each process reads its configuration once, in its `main.ts`: a table of named settings, each a variable, a parser and
 * perhaps a default. Everything that is missing or wrong stands in one message, so that an operator does not mend one line per
 * start.
 */
import { IDENTIFIER_FORM, isIdentifier } from '../contract/dictionary.ts'
import { messageOf } from '../errors.ts'

/** One setting: the variable it is read from, how it is understood, and its value if the variable is absent. */
export type Setting<Value> = {
  readonly variable: string
  readonly parse: (text: string) => Value
  readonly fallback?: Value
}

/** The settings that were read, by the names of their table. */
export type Settings<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer Value> ? Value : never
}

/** Thrown with every complaint at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const setting = <Value>(variable: string, parse: (text: string) => Value, fallback?: Value): Setting<Value> =>
  fallback === undefined ? { variable, parse } : { variable, parse, fallback }

/** Any non-empty text. */
export const text = (variable: string, fallback?: string): Setting<string> =>
  setting(variable, (value) => value, fallback)

/** A text of a certain form, which a complaint names. */
export const formed = (
  variable: string,
  isRight: (text: string) => boolean,
  form: string,
  fallback?: string,
): Setting<string> =>
  setting(
    variable,
    (value) => {
      if (!isRight(value)) throw new Error(`must be ${form}, not "${value}"`)
      return value
    },
    fallback,
  )

/** A name that may stand in a path, as an identifier of a request does. */
export const name = (variable: string, fallback?: string): Setting<string> =>
  formed(variable, isIdentifier, IDENTIFIER_FORM, fallback)

/** An integer between two bounds, both included. */
export const integer = (variable: string, bounds: { min: number; max: number }, fallback?: number): Setting<number> =>
  setting(
    variable,
    (value) => {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      if (!(number >= bounds.min && number <= bounds.max))
        throw new Error(`must be an integer from ${bounds.min} to ${bounds.max}, not "${value}"`)
      return number
    },
    fallback,
  )

/** `yes` or `no`. */
export const flag = (variable: string, fallback?: boolean): Setting<boolean> =>
  setting(
    variable,
    (value) => {
      if (value !== 'yes' && value !== 'no') throw new Error(`must be "yes" or "no", not "${value}"`)
      return value === 'yes'
    },
    fallback,
  )

/** One of these words. */
export const oneOf = <const Word extends string>(
  variable: string,
  words: readonly Word[],
  fallback?: NoInfer<Word>,
): Setting<Word> =>
  setting(
    variable,
    (value) => {
      const found = words.find((word) => word === value)
      if (found === undefined) throw new Error(`must be one of ${words.join(', ')}, not "${value}"`)
      return found
    },
    fallback,
  )

/** Whether a text can be sent in a header as it is, without spaces: as a bearer token is. */
export const isHeaderWord = (value: string): boolean => /^[\x21-\x7e]*$/.test(value)
export const HEADER_WORD_FORM = 'must consist of visible ASCII characters, without spaces: no header carries others'

/** A secret that comes in a header. A complaint does not tell it. */
export const headerSecret = (variable: string, fallback?: string): Setting<string> =>
  setting(
    variable,
    (value) => {
      if (!isHeaderWord(value)) throw new Error(HEADER_WORD_FORM)
      return value
    },
    fallback,
  )

/** A URL of one of the given schemes, as text without a closing slash. */
const parseUrl = (value: string, schemes: readonly string[]): string => {
  const url = URL.parse(value)
  if (url === null || !schemes.includes(url.protocol.slice(0, -1)))
    throw new Error(`must be a URL of the form ${schemes.map((scheme) => `${scheme}://host:port`).join(' or ')}`)
  return value.replace(/\/$/, '')
}

/** The URL of a Redis: `redis://user:password@host:port`, or `rediss:` for TLS. */
export const redisUrl = (variable: string): Setting<string> =>
  setting(variable, (value) => parseUrl(value, ['redis', 'rediss']))

/** One or more HTTP origins, separated by commas: the replicas of one service. */
export const origins = (variable: string): Setting<readonly string[]> =>
  setting(variable, (value) => value.split(',').map((one) => parseUrl(one.trim(), ['http', 'https'])))

/** Names that may stand in a path, separated by commas, or none. */
export const names = (variable: string): Setting<readonly string[]> =>
  setting(
    variable,
    (value) =>
      value.split(',').map((one) => {
        const name = one.trim()
        if (!isIdentifier(name)) throw new Error(`must be names of ${IDENTIFIER_FORM} each, not "${name}"`)
        return name
      }),
    [],
  )

const HOST_NAME = /^([a-z\d]([\w.-]*[a-z\d])?|\[[\da-f:.]+\])$/

/** Names of hosts without ports, separated by commas, or none. */
export const hostNames = (variable: string): Setting<readonly string[]> =>
  setting(
    variable,
    (value) =>
      value.split(',').map((one) => {
        const host = one.trim().toLowerCase()
        if (!HOST_NAME.test(host)) throw new Error(`must be names of hosts, without ports, not "${one.trim()}"`)
        return host
      }),
    [],
  )

/** Origins of pages as browsers write them, separated by commas, or none. */
export const pageOrigins = (variable: string): Setting<readonly string[]> =>
  setting(
    variable,
    (value) =>
      value.split(',').map((one) => {
        const given = one.trim().toLowerCase()
        const url = URL.parse(given)
        const isOne = url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/@?#]+\/?$/.test(given)
        if (!isOne) throw new Error(`must be origins of the form https://host or http://host:port, not "${one.trim()}"`)
        return url.origin
      }),
    [],
  )

type SettingTable = Record<string, Setting<unknown>>
type Environment = Record<string, string | undefined>

/**
 * Reads every setting of two tables from `environment`.
 * @throws ConfigError naming every variable that is missing or wrong; what two settings complain of alike is said once.
 */
export const readConfig = <One extends SettingTable, Other extends SettingTable>(
  environment: Environment,
  one: One,
  other: Other,
): readonly [Settings<One>, Settings<Other>] => {
  const complaints: string[] = []
  const read = ({ variable, parse, fallback }: Setting<unknown>): unknown => {
    const value = environment[variable]
    if (value === undefined || value === '') {
      if (fallback === undefined) complaints.push(`${variable} is missing`)
      return fallback
    }
    try {
      return parse(value)
    } catch (error) {
      complaints.push(`${variable} ${messageOf(error)}`)
      return undefined
    }
  }
  const readAll = <Table extends SettingTable>(table: Table) =>
    Object.fromEntries(Object.entries(table).map(([name, setting]) => [name, read(setting)])) as Settings<Table>
  const settings = [readAll(one), readAll(other)] as const
  if (complaints.length > 0) throw new ConfigError(`the settings are not right: ${[...new Set(complaints)].join('; ')}`)
  return settings
}
