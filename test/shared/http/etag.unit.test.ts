import test from 'ava'
import { etagOf, isSeen, type WantedVersions, wantedVersions } from '../../../shared/http/etag.ts'

test('a version is shown as a strong tag', (t) => {
  t.is(etagOf(3), '"3"')
  t.deepEqual(wantedVersions(etagOf(Number.MAX_SAFE_INTEGER)), [Number.MAX_SAFE_INTEGER])
})

const WANTED: readonly (readonly [ifMatch: string, versions: WantedVersions | undefined])[] = [
  ['"3"', [3]],
  ['  "3"\t', [3]],
  ['"3", "17"', [3, 17]],
  ['"3","17"', [3, 17]],
  [', "3",, "17" ,', [3, 17]],
  ['"3",'.repeat(32), Array.from({ length: 32 }, () => 3)],
  ['*', 'any'],
  [' * ', 'any'],
  // A weak tag is never the same as another one.
  ['W/"3"', []],
  ['W/"3", "4"', [4]],
  // Tags that were never shown.
  ['', undefined],
  [',', undefined],
  ['3', undefined],
  ['"3', undefined],
  ['"3" "4"', undefined],
  ['"3", 4', undefined],
  ['"3", *', undefined],
  ['"3";q=1', undefined],
  ['w/"3"', undefined],
  ['"03"', undefined],
  ['"0"', undefined],
  ['"-3"', undefined],
  ['"3 "', undefined],
  ['""', undefined],
  ['"a"', undefined],
  ['"3", "a"', undefined],
  ['"3,4"', undefined],
  ['W/"a"', undefined],
  ['"9007199254740992"', undefined],
  ['"12345678901234567"', undefined],
  ['"3",'.repeat(33), undefined],
]
for (const [ifMatch, versions] of WANTED)
  test(`If-Match: ${JSON.stringify(ifMatch)} ${versions === undefined ? 'is none of ours' : `wants ${String(versions) || 'none'}`}`, (t) => {
    t.deepEqual(wantedVersions(ifMatch), versions)
  })

test('a long list of nonsense is read in no time', (t) => {
  const began = performance.now()
  t.is(wantedVersions(`${', \t'.repeat(5_000)}x`), undefined)
  t.is(wantedVersions(`${'"3", '.repeat(2_000)}x`), undefined)
  t.true(performance.now() - began < 1_000)
})

test('a list of tags that were seen may hold any, weak or strong', (t) => {
  for (const seen of ['"3"', 'W/"3"', '"a", "3"', ',W/"a",, W/"3" ,', '*', ' * ']) t.true(isSeen(seen, etagOf(3)), seen)
  for (const seen of ['', '3', '"33"', '"3', '"3+"', '"a, 3"', 'w/"3"', '*, "4"'])
    t.false(isSeen(seen, etagOf(3)), seen)
  t.true(isSeen('"3+"', etagOf(3, true)))
})
