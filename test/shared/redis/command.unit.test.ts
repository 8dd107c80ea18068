/** What a command's row says is what its Lua file says, and nothing else passes as a reply. */
import test from 'ava'
import * as ofIds from '../../../ids/commands.ts'
import * as ofJobs from '../../../ids/jobs/commands.ts'
import * as ofLocks from '../../../ids/lock/commands.ts'
import { amendOrder } from '../../../order/amend/commands.ts'
import * as ofCancelling from '../../../order/cancel/commands.ts'
import * as ofChanges from '../../../order/change/commands.ts'
import * as ofOrder from '../../../order/commands.ts'
import { reactions as byOrder } from '../../../order/reactions.ts'
import * as ofRefunds from '../../../order/refunds/commands.ts'
import * as ofWebhooks from '../../../order/webhooks/commands.ts'
import * as ofPayment from '../../../payment/commands.ts'
import * as ofDocuments from '../../../payment/documents/commands.ts'
import { reactions as byPayment } from '../../../payment/reactions.ts'
import * as ofShared from '../../../shared/log/shared-commands.ts'
import { type Command, command, knownResult, type Results } from '../../../shared/redis/command.ts'
import * as ofStock from '../../../stock/commands.ts'
import { reactions as byStock } from '../../../stock/reactions.ts'
import { headerOf, luaCommands, type Place, promised } from '../../support/shop/lua-command.ts'

const isCommand = (one: unknown): one is Command => typeof one === 'object' && one !== null && 'inPassing' in one

const ROWS: Readonly<Record<Place, readonly Command[]>> = {
  ids: Object.values<unknown>({ ...ofIds, ...ofLocks, ...ofJobs }).filter(isCommand),
  order: Object.values<unknown>({
    ...ofOrder,
    amendOrder,
    ...ofCancelling,
    ...ofChanges,
    ...ofRefunds,
    ...ofWebhooks,
  }).filter(isCommand),
  payment: Object.values<unknown>({ ...ofPayment, ...ofDocuments }).filter(isCommand),
  stock: Object.values(ofStock).filter(isCommand),
  shared: Object.values(ofShared).filter(isCommand),
}

/** The commands that follow entries, of all services. What they return is held against their headers by `reactions.unit.test.ts`. */
const FOLLOWING: ReadonlySet<string> = new Set(
  [byOrder, byPayment, byStock].flatMap((reactions) =>
    Object.values<Readonly<Record<string, { readonly command: string }>>>(reactions).flatMap((rows) =>
      Object.values(rows).map(({ command }) => command),
    ),
  ),
)
/** It is run by the row of the shared command whose place it takes. */
const standsInForShared = (name: string): boolean => ROWS.shared.some((row) => row.name === name)

const PLACES = ['ids', 'order', 'payment', 'stock', 'shared'] as const

/** Results as a header words them: `added, price | unknown`. */
const worded = (results: Results): readonly string[] =>
  Object.entries(results).map(([result, follows]) =>
    ['read' in follows ? [follows.name] : follows.map((name) => name.replace('?', ''))]
      .flat()
      .reduce((text, name) => `${text}, ${name}`, result),
  )
const piecesOf = (text: string): readonly string[] =>
  text.split('|').flatMap((piece) => piece.replace(/\s+/g, ' ').replace(/,\s*$/, '').trim() || [])

for (const place of PLACES) {
  const commands = luaCommands(place).filter((command) => promised(headerOf(command)).length > 0)

  test(`each command of ${place} has a row, or only follows an entry; and each row has a Lua file`, (t) => {
    const rows = ROWS[place].map(({ name }) => name)
    const without = commands.map(({ name }) => name).filter((name) => !rows.includes(name))
    t.deepEqual(
      without.filter((name) => !FOLLOWING.has(name) && !standsInForShared(name)),
      [],
    )
    t.deepEqual(
      rows.filter((name) => !commands.some((command) => command.name === name)),
      [],
    )
  })

  for (const { name, args, returns, inPassing } of ROWS[place])
    test(`the row of ${place}/${name} says what the header of its Lua file says`, (t) => {
      const command = commands.find((one) => one.name === name)
      if (command === undefined) return t.fail('there is no such Lua file')
      const header = headerOf(command)
      t.deepEqual(
        args.map((arg) => arg.replace('?', '')),
        [...header.args],
      )
      const [lasting = '', passing = ''] = header.returns.replace(/\([^)]*\)/g, '').split('or in passing:')
      t.deepEqual(worded(returns).toSorted(), piecesOf(lasting).toSorted())
      t.deepEqual(worded(inPassing).toSorted(), piecesOf(passing).toSorted())
    })
}

const number = { name: 'number', read: ([, text]: readonly unknown[]): number => Number(text) }
const row = command('it', [], { done: ['what', 'when?'], counted: number, nothing: [] })

for (const reply of [['done', 'a'], ['done', 'a', 'b'], ['done', 'a', null], ['nothing']])
  test(`a reply that the row knows passes untouched: ${JSON.stringify(reply)}`, (t) => {
    t.is<unknown, unknown>(knownResult(row.returns, reply), reply)
  })

test('one thing is read from all that follows a result', (t) => {
  t.deepEqual(knownResult(row.returns, ['counted', '7']), ['counted', 7])
})

for (const reply of [
  ['other'],
  ['done'],
  ['done', null],
  ['done', 7],
  ['done', 'a', 'b', 'c'],
  ['nothing', 'a'],
  [],
  'nothing',
  null,
  ['toString'],
  [['done', 'a']],
])
  test(`any other reply is none: ${JSON.stringify(reply)}`, (t) => {
    t.is(knownResult(row.returns, reply), undefined)
  })
