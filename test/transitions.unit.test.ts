/** The tables of what becomes of a checkout in each service. Their cells are tried on the real commands beside the stores. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { reactions as orderReactions } from '../order/reactions.ts'
import { transitions as ofOrder } from '../order/transitions.ts'
import { reactions as paymentReactions } from '../payment/reactions.ts'
import { transitions as ofPayment, alternatives as paymentAlternatives } from '../payment/transitions.ts'
import { reactions as stockReactions } from '../stock/reactions.ts'
import { transitions as ofStock, alternatives as stockAlternatives } from '../stock/transitions.ts'
import { holdFile } from './support/golden.ts'
import { type Alternatives, diagramOf, pageOf, type Table } from './support/state-pages.ts'

type Reactions = Readonly<
  Record<string, Readonly<Record<string, { readonly emits: Readonly<Record<string, string>> }>>>
>
type Service = {
  readonly title: string
  readonly table: Table
  readonly alternatives: Alternatives
  readonly reactions: Reactions
}

const SERVICES: Readonly<Record<string, Service>> = {
  order: {
    title: 'What becomes of a checkout in order',
    table: ofOrder,
    alternatives: [],
    reactions: orderReactions,
  },
  payment: {
    title: 'What becomes of the money of a checkout in payment',
    table: ofPayment,
    alternatives: paymentAlternatives,
    reactions: paymentReactions,
  },
  stock: {
    title: 'What becomes of the goods of a checkout in stock',
    table: ofStock,
    alternatives: stockAlternatives,
    reactions: stockReactions,
  },
}
const DIAGRAM = /```mermaid\nstateDiagram-v2\n[\s\S]*?```/
/** One that is read again goes on: the goods prove that the money was held, and then that it is to be captured. */
const GOES_ON = ['payment: StockTaken in none']

for (const [service, { title, table, alternatives, reactions }] of Object.entries(SERVICES)) {
  const cells = Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([event, transition]) => ({ state, event, transition })),
  )
  const events = [...new Set(cells.map(({ event }) => event))]

  test(`${service}: its page shows its table, and its README draws it`, (t) => {
    holdFile(t, new URL(`../${service}/states.md`, import.meta.url), pageOf(title, table, alternatives))
    const readme = new URL(`../${service}/README.md`, import.meta.url)
    const text = readFileSync(readme, 'utf8')
    t.regex(text, DIAGRAM)
    holdFile(t, readme, text.replace(DIAGRAM, diagramOf(table, alternatives)))
  })

  test(`${service}: every entry of a checkout that it acts on has a column`, (t) => {
    const kinds = Object.values(reactions).flatMap(Object.keys)
    t.deepEqual(
      kinds.filter((kind) => !kind.endsWith('Surveyed') && kind !== 'SurveyEnded' && !events.includes(kind)),
      [],
    )
  })

  test(`${service}: every state can be reached`, (t) => {
    const reached = new Set(['none'])
    const moves = [
      ...cells.map(({ state, transition: [, next] }) => ({ state, next })),
      ...alternatives.map(([state, , , [, next]]) => ({ state, next })),
    ]
    // A set is walked on while it grows.
    for (const at of reached) for (const { state, next } of moves) if (state === at) reached.add(next)
    t.deepEqual([...reached].toSorted(), Object.keys(table).toSorted())
  })

  test(`${service}: what happens once more changes nothing`, (t) => {
    const moving = cells
      .filter(({ event, transition: [, next] }) => table[next]?.[event]?.[1] !== next)
      .map(({ state, event }) => `${service}: ${event} in ${state}`)
    t.deepEqual(
      moving,
      GOES_ON.filter((one) => one.startsWith(service)),
    )
  })
}
