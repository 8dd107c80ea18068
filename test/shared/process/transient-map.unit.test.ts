import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { TransientMap } from '../../../shared/process/transient-map.ts'

test('it holds what was set last until it is deleted, in the order of its coming', (t) => {
  const map = new TransientMap<number>()
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  t.is(map.get('a'), 3)
  t.is(map.get('c'), undefined)
  t.is(map.size, 2)
  t.deepEqual(
    [...map],
    [
      ['a', 3],
      ['b', 2],
    ],
  )
  map.delete('a')
  map.delete('c')
  t.is(map.get('a'), undefined)
  t.is(map.size, 1)
  map.set('a', 4)
  t.deepEqual(
    [...map],
    [
      ['b', 2],
      ['a', 4],
    ],
  )
})

test('what is deleted while it is gone through is not met', (t) => {
  const map = new TransientMap<number>()
  for (const key of ['a', 'b', 'c']) map.set(key, 0)
  const met = []
  for (const [key] of map) {
    met.push(key)
    map.delete('b')
    map.delete(key)
  }
  t.deepEqual(met, ['a', 'c'])
  t.deepEqual([...map], [])
})

test('a collection of the young frees what was deleted, however long the map has been there', (t) => {
  setFlagsFromString('--expose-gc')
  const gc: NodeJS.GCFunction = runInNewContext('gc')
  const map = new TransientMap<readonly number[]>()
  const pass = (from: number, to: number): void => {
    for (let n = from; n < to; n += 1) {
      map.set(`${n}`, new Array(512).fill(n)) // 4 KB
      map.delete(`${n - 32}`)
      if (n % 256 === 0) gc({ type: 'minor' })
    }
  }
  pass(0, 1_000)
  gc() // What is left is old from now on.
  const before = getHeapStatistics().used_heap_size
  pass(1_000, 5_000)
  gc({ type: 'minor' })
  const kept = getHeapStatistics().used_heap_size - before
  t.true(kept < 2_000_000, `of 16 MB that came and went, ${kept} bytes are still there`)
})
