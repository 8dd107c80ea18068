/** What operators are shown of a log, over a real Redis. */
import test from 'ava'
import type { LogEntry } from '../../../shared/log/entry.ts'
import { logRoutes } from '../../../shared/operator/log-routes.ts'
import type { Keeping } from '../../../shared/operator/readers.ts'
import type { LogParser } from '../../../shared/saga/log-parser.ts'
import { openStore } from '../../../stock/store.ts'
import { openBench } from '../../support/shop/open-store.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'

const bench = await openBench()
const { log } = openStore(bench.dependencies)
test.after.always(() => bench[Symbol.asyncDispose]())

test('entries are shown by their log ids, also by those that are named as what every object has', async (t) => {
  const logIds = ['__proto__', 'constructor', 'toString', 'saga1', 'saga1']
  for (const logId of logIds)
    await bench.redis.xadd('log:stock', '*', 'StockAdded', `version=1 log_id=${logId} item=tea amount=1`)
  const server = await openServiceServer({ routes: logRoutes('/stock', log, {} as LogParser, {} as Keeping) })
  t.teardown(server.close)
  const answer = await fetch(`http://127.0.0.1:${server.port}/stock/sorted_logs/1`)
  t.is(answer.status, 200)
  const { logs } = (await answer.json()) as { logs: object }
  const shown = Object.entries(logs) as [string, LogEntry[]][]
  t.deepEqual(
    shown.map(([logId, entries]) => [logId, entries.length]),
    [
      ['__proto__', 1],
      ['constructor', 1],
      ['toString', 1],
      ['saga1', 2],
    ],
  )
})
