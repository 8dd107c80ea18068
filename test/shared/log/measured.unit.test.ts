import test from 'ava'
import type { RawEntry } from '../../../shared/contract/raw-entry.ts'
import { openMeasured } from '../../../shared/log/measured.ts'
import { noMetrics, openMetrics } from '../../../shared/metrics/metrics.ts'

const ENTRY: RawEntry = ['5-0', ['CreditHeld', 'version=1 log_id=it']]

for (const [what, metrics, wanted] of [
  ['is asked for where it is counted', openMetrics(() => undefined), ['5-0']],
  ['is not asked for where nothing is measured', noMetrics, []],
] as const)
  test(`by which command an entry was applied ${what}`, (t) => {
    const asked: string[] = []
    const commandOf = ([id]: RawEntry): string => {
      asked.push(id)
      return 'take'
    }
    openMeasured(metrics).applied('payment', [ENTRY], commandOf, [['taken']], 1)
    t.deepEqual(asked, wanted)
  })
