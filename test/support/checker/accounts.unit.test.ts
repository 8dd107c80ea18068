/** What an account makes of a log whose Redis has forgotten who is spoken of. */
import test from 'ava'
import type { LogEntry } from '../../../shared/log/entry.ts'
import { payAccount, stockAccount } from './accounts.ts'

const logOf = (...kinds: readonly string[]): readonly LogEntry[] =>
  kinds.map((kind, index) => ({
    id: `${index + 1}-0`,
    at: '',
    kind,
    version: '1',
    log_id: 'it',
    facts: { order: 'cart', user: 'anna', total: '4' },
  }))

test('what was never held of an unknown customer makes no wallet when it is released', (t) => {
  for (const kinds of [['CreditReleased'], ['CreditRefused', 'CreditReleased']]) {
    const { timelines, faults } = payAccount(logOf(...kinds), { lossy: true })
    t.deepEqual([[...timelines], faults], [[], []], kinds.join())
  }
})

test('a hold in an unknown wallet is beyond its credit', (t) => {
  const { faults } = payAccount(logOf('CreditHeld', 'CreditReleased'), { lossy: true })
  t.deepEqual(
    faults.map(({ name, about }) => [name, about]),
    [['held-beyond-credit', 'user:anna']],
  )
})

test('a refusal of goods that stock does not know makes no shelf', (t) => {
  const refused = logOf('StockRefused').map((entry) => ({ ...entry, facts: { order: 'cart', item: 'tea' } }))
  const { timelines, faults } = stockAccount(refused, new Map([['it', 'tea:1']]))
  t.deepEqual([[...timelines], faults], [[], []])
})
