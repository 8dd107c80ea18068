/** The tables of what becomes of a saga in each service. Their cells are tried on the real commands beside the stores. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import * as amendmentInOrder from '../order/amend/transitions.ts'
import * as draftInOrder from '../order/drafts/transitions.ts'
import { reactions as orderReactions } from '../order/reactions.ts'
import * as refundInOrder from '../order/refunds/transitions.ts'
import { transitions as ofOrder } from '../order/transitions.ts'
import * as draftInPayment from '../payment/drafts/transitions.ts'
import { reactions as paymentReactions } from '../payment/reactions.ts'
import { transitions as refundInPayment } from '../payment/refunds/transitions.ts'
import { transitions as ofPayment, alternatives as paymentAlternatives } from '../payment/transitions.ts'
import { reactions as stockReactions } from '../stock/reactions.ts'
import * as refundInStock from '../stock/refunds/transitions.ts'
import { transitions as ofStock, alternatives as stockAlternatives } from '../stock/transitions.ts'
import { holdFile } from './support/golden.ts'
import { type Alternatives, diagramOf, pageOf, type Table } from './support/state-pages.ts'

type Reactions = Readonly<
  Record<string, Readonly<Record<string, { readonly emits: Readonly<Record<string, string>> }>>>
>
type Saga = {
  /** Where its page and its picture are. */
  readonly folder: string
  readonly title: string
  readonly table: Table
  readonly alternatives: Alternatives
}

const REACTIONS: Readonly<Record<string, Reactions>> = {
  order: orderReactions,
  payment: paymentReactions,
  stock: stockReactions,
}
const SAGAS: readonly Saga[] = [
  { folder: 'order', title: 'What becomes of a checkout in order', table: ofOrder, alternatives: [] },
  {
    folder: 'order/amend',
    title: 'What becomes of an amendment in order',
    table: amendmentInOrder.transitions,
    alternatives: amendmentInOrder.alternatives,
  },
  {
    folder: 'order/refunds',
    title: 'What becomes of a refund in order',
    table: refundInOrder.transitions,
    alternatives: refundInOrder.alternatives,
  },
  {
    folder: 'order/drafts',
    title: 'What order knows of the draft of an invoice',
    table: draftInOrder.transitions,
    alternatives: draftInOrder.alternatives,
  },
  {
    folder: 'payment',
    title: 'What becomes of the money of a checkout in payment',
    table: ofPayment,
    alternatives: paymentAlternatives,
  },
  {
    folder: 'payment/refunds',
    title: 'What becomes of the money of a refund in payment',
    table: refundInPayment,
    alternatives: [],
  },
  {
    folder: 'payment/drafts',
    title: 'What becomes of the draft of an invoice in payment',
    table: draftInPayment.transitions,
    alternatives: draftInPayment.alternatives,
  },
  {
    folder: 'stock',
    title: 'What becomes of the goods of a checkout in stock',
    table: ofStock,
    alternatives: stockAlternatives,
  },
  {
    folder: 'stock/refunds',
    title: 'What becomes of the goods of a refund in stock',
    table: refundInStock.transitions,
    alternatives: refundInStock.alternatives,
  },
]
const DIAGRAM = /```mermaid\nstateDiagram-v2\n[\s\S]*?```/
/** One that is read again goes on: what is back or taken proves what was done before, and then that the next is to be done. */
const GOES_ON: Readonly<Record<string, readonly string[]>> = {
  payment: ['StockTaken in none'],
  'payment/refunds': ['StockRestocked in none', 'StockWrittenOff in none'],
}

const cellsOf = (table: Table) =>
  Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([event, transition]) => ({ state, event, transition })),
  )

for (const { folder, title, table, alternatives } of SAGAS) {
  const cells = cellsOf(table)

  test(`${folder}: its page shows its table, and its README draws it`, (t) => {
    holdFile(t, new URL(`../${folder}/states.md`, import.meta.url), pageOf(title, table, alternatives))
    const readme = new URL(`../${folder}/README.md`, import.meta.url)
    const text = readFileSync(readme, 'utf8')
    t.regex(text, DIAGRAM)
    holdFile(t, readme, text.replace(DIAGRAM, diagramOf(table, alternatives)))
  })

  test(`${folder}: every state can be reached`, (t) => {
    const reached = new Set(['none'])
    const moves = [
      ...cells.map(({ state, transition: [, next] }) => ({ state, next })),
      ...alternatives.map(([state, , , [, next]]) => ({ state, next })),
    ]
    // A set is walked on while it grows.
    for (const at of reached) for (const { state, next } of moves) if (state === at) reached.add(next)
    t.deepEqual([...reached].toSorted(), Object.keys(table).toSorted())
  })

  test(`${folder}: what happens once more changes nothing`, (t) => {
    const moving = cells
      .filter(({ event, transition: [, next] }) => table[next]?.[event]?.[1] !== next)
      .map(({ state, event }) => `${event} in ${state}`)
    t.deepEqual(moving, GOES_ON[folder] ?? [])
  })
}

for (const [service, reactions] of Object.entries(REACTIONS))
  test(`${service}: every entry of a saga that it acts on has a column`, (t) => {
    const events = new Set(
      SAGAS.filter(({ folder }) => folder.split('/')[0] === service).flatMap(({ table }) =>
        cellsOf(table).map(({ event }) => event),
      ),
    )
    const kinds = Object.values(reactions).flatMap(Object.keys)
    t.deepEqual(
      kinds.filter((kind) => !kind.endsWith('Surveyed') && kind !== 'SurveyEnded' && !events.has(kind)),
      [],
    )
  })
