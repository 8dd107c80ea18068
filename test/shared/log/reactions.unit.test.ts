import test from 'ava'
import * as commandsOfOrder from '../../../order/commands.ts'
import { emits as emittedByOrder, reactions as ofOrder } from '../../../order/reactions.ts'
import { reactions as ofPayment } from '../../../payment/reactions.ts'
import { events, single } from '../../../shared/contract/events.ts'
import type { Service } from '../../../shared/contract/services.ts'
import { reactions as ofStock } from '../../../stock/reactions.ts'
import {
  type Command,
  headerOf,
  luaCode,
  luaCommands,
  luaFiles,
  luaText,
  promised,
} from '../../support/shop/lua-command.ts'

type Row = {
  readonly subscriber: Service
  readonly publisher: Service
  readonly kind: string
  readonly command: string
  readonly emits: Readonly<Record<string, string>>
}

const tables: Readonly<Record<Service, Readonly<Record<string, Readonly<Record<string, unknown>>>>>> = {
  ids: {},
  order: ofOrder,
  payment: ofPayment,
  stock: ofStock,
}
/** What a service emits that follows from no row. */
const ownEmits: Readonly<Partial<Record<Service, Readonly<Record<string, string>>>>> = { order: emittedByOrder }

const services = Object.keys(tables) as Service[]
const rows: readonly Row[] = services.flatMap((subscriber) =>
  Object.entries(tables[subscriber]).flatMap(([publisher, table]) =>
    Object.entries(table).map(([kind, reaction]) => ({
      subscriber,
      publisher: publisher as Service,
      kind,
      ...(reaction as { command: string; emits: Record<string, string> }),
    })),
  ),
)

const factsOf = (publisher: Service, kind: string): Readonly<Record<string, string>> | undefined =>
  (events[publisher] as Readonly<Record<string, Readonly<Record<string, string>>>>)[kind]

type CommandRow = { readonly name: string; readonly args: readonly string[] }
const isRow = (one: unknown): one is CommandRow => typeof one === 'object' && one !== null && 'args' in one

/** The Lua of a service, and that of shared, of which each service has a copy. */
const kindsIn = (service: Service, pattern: RegExp): readonly string[] =>
  ([service, 'shared'] as const).flatMap((place) =>
    luaFiles(place).flatMap((file) => [...luaText(place, file).matchAll(pattern)].map(([, kind]) => kind as string)),
  )

/** How an entry is appended outside any saga: by itself, or about a lock, of whose end a table says the kind. */
const SINGLE =
  /(?:\b(?:emit_(?:single|said)|ended_by_hand)\(|\bemit(?:_lock|_due)?\(lock, |\b(?:released|expired|unclaimed|forced) = )'([A-Za-z]+)'/g

const commands: readonly Command[] = [...services, 'shared' as const].flatMap(luaCommands)
const commandOf = (service: Service, name: string): Command | undefined =>
  commands.find((command) => command.name === name && (command.place === service || command.place === 'shared'))

/** The words that stand first in the lists that a piece of code returns, and the local functions that it ends with. */
const returned = (code: string, whole: string): readonly string[] =>
  [...code.matchAll(/\breturn\b(.*)$/gm)].flatMap(([, value = '']) => {
    const list = /^\s*\{([^,}]*)/.exec(value)?.[1] ?? ''
    const [, called = '', argument = ''] = /^\s*([a-z_]+)\((?:'([a-z-]+)')?/.exec(value) ?? []
    const body = called && (new RegExp(`^local function ${called}\\([\\s\\S]*?^end`, 'm').exec(whole)?.[0] ?? '')
    return [
      ...[...list.matchAll(/'([a-z-]+)'/g)].map(([, result]) => result as string),
      ...(argument !== '' && /return \{ result,/.test(body) ? [argument] : []),
      ...(body === code ? [] : returned(body, whole)),
    ]
  })

/** Which arguments a command of order need not be given, as its row says. */
const mayBeMissing = (command: string): readonly string[] =>
  Object.values<unknown>(commandsOfOrder).flatMap((one) =>
    isRow(one) && one.name === command
      ? one.args.filter((arg) => arg.endsWith('?')).map((arg) => arg.slice(0, -1))
      : [],
  )

for (const { subscriber, publisher, kind, command, emits } of rows) {
  const name = `${subscriber} applies ${kind} of ${publisher}`

  test(`${name}: the publisher's dictionary has it`, (t) => {
    t.not(factsOf(publisher, kind), undefined)
    t.not(subscriber, publisher)
  })

  test(`${name}: the command has its Lua file, and finds the arguments it needs`, (t) => {
    const found = commandOf(subscriber, command)
    t.not(found, undefined, `there is no ${command}.lua`)
    if (found === undefined) return
    const carried = ['log_id', ...Object.keys(factsOf(publisher, kind) ?? {})]
    const optional = [
      ...[...found.whole.matchAll(/\bargs\.([a-z_]+) or\b/g)].map(([, arg]) => arg),
      ...mayBeMissing(command),
    ]
    const { args } = headerOf(found)
    t.not(args.length, 0)
    for (const arg of args) t.true(carried.includes(arg) || optional.includes(arg), `${command} wants ${arg}`)
  })

  test(`${name}: what is emitted is in the subscriber's dictionary, and the command knows when`, (t) => {
    const code = commandOf(subscriber, command)?.whole ?? ''
    t.not(code, '')
    for (const [state, said] of Object.entries(emits)) {
      t.not(factsOf(subscriber, said), undefined, said)
      t.regex(code, new RegExp(`'${state}'|emits\\.${state}\\b`))
    }
  })
}

test('payment, in the middle, follows both and is followed by both, and no service follows ids', (t) => {
  t.deepEqual(
    services.map((service) => Object.keys(tables[service]).toSorted()),
    [[], ['payment'], ['order', 'stock'], ['payment']],
  )
})

for (const service of services)
  test(`the dictionary of ${service} holds what its commands emit, and nothing else`, (t) => {
    const written = [...kindsIn(service, /\bappend\('([A-Za-z]+)'/g), ...kindsIn(service, SINGLE)]
    const reactions = rows
      .filter(({ subscriber }) => subscriber === service)
      .flatMap(({ emits }) => Object.values(emits))
    const said = new Set([...written, ...reactions, ...Object.values(ownEmits[service] ?? {})])
    t.deepEqual([...said].toSorted(), Object.keys(events[service]).toSorted())
  })

for (const service of services)
  test(`what ${service} records outside any saga is known as such, so that it is listed if it is lost`, (t) => {
    const recorded = kindsIn(service, SINGLE)
    t.deepEqual([...new Set<string>(recorded)].toSorted(), [...single[service]].toSorted())
  })

test('every kind is a noun and a past participle, and belongs to one service, or to each', (t) => {
  const ofEach = kindsIn('ids', SINGLE).filter((kind) => services.every((service) => kind in events[service]))
  t.deepEqual(ofEach.toSorted(), ['DeadLetterDismissed', 'DeadLetterRetried', 'FeatureSet'])
  const kinds = services.flatMap((service) => Object.keys(events[service]).filter((kind) => !ofEach.includes(kind)))
  for (const kind of [...kinds, ...ofEach]) t.regex(kind, /^([A-Z][a-z]+)+(ed|en|id|ld|nt|wn|Set)(Off)?$/)
  t.is(new Set(kinds).size, kinds.length)
})

for (const command of commands) {
  const name = `${command.place}/lua/${command.name}.lua`

  test(`${name} opens with what it does, its arguments and its replies`, (t) => {
    const header = headerOf(command)
    t.true(header.title.startsWith(`${command.name}: `), header.title)
    t.not(header.args.length, 0, 'ARGS')
    t.not(header.returns, '', 'RETURNS')
    t.regex(command.text, /^(--- @(?:often|(?:include|rarely) "[a-z-]+")\n)*-- /, 'the comment comes first')
  })

  test(`${name} uses the arguments that its header names, and no other`, (t) => {
    const { args } = headerOf(command)
    t.not(args.length, 0)
    const wanted = args.filter((arg) => arg !== 'none')
    const used = [...luaCode(command.text).matchAll(/\bargs\.([a-z_]+)/g)].map(([, arg]) => arg as string)
    const usedWithin = [...command.whole.matchAll(/\bargs\.([a-z_]+)/g)].map(([, arg]) => arg as string)
    for (const arg of used) t.true(args.includes(arg), `${arg} is not in the header`)
    for (const arg of wanted) t.true(usedWithin.includes(arg), `${arg} is not used`)
  })

  test(`${name} returns the results that its header names, and no other`, (t) => {
    const results = promised(headerOf(command))
    t.true(results.length > 0 || headerOf(command).returns.startsWith('the '))
    if (results.length === 0) return
    for (const result of results) t.true(command.whole.includes(`'${result}'`), `"${result}" is nowhere in the code`)
    for (const result of returned(luaCode(command.text), command.whole))
      t.true(results.includes(result), `"${result}" is not in the header`)
  })
}

for (const service of [...services, 'shared' as const])
  test(`every Lua file of ${service} says what it is`, (t) => {
    for (const file of luaFiles(service))
      t.regex(luaText(service, file), /^(--- @(?:often|(?:include|rarely) "[a-z-]+")\n)*-- /, file)
  })
