/** What a replica knows of the leases that hold, from what its commands have returned and from the log. */
import test from 'ava'
import { type Known, openKnowledge } from '../../../ids/lock/knowledge.ts'
import type { RawEntry } from '../../../shared/contract/raw-entry.ts'
import { compareIds } from '../../../shared/log/entry.ts'

const said = (id: string, kind: string, { lock, lease, token }: Pick<Known, 'lock' | 'lease' | 'token'>): RawEntry => [
  id,
  [kind, `version=1 log_id=${lease} lock=${lock} mode=exclusive owner= token=${token} permits=1 until=90000`],
]
const KNOWN: Known = { lock: 'bill', lease: 'l1', token: 7, owner: '', untilMs: 90_000, entry: '5-0' }

test('a lease is known that was granted, until it is followed that it has ended', (t) => {
  const { onResumed, onGranted, onEntry, since, token, seen } = openKnowledge(compareIds)
  onResumed('0-0')
  onGranted(KNOWN)
  t.deepEqual([since('0-0'), seen(), token()], [[KNOWN], '5-0', 7])
  onEntry(said('5-0', 'LockGranted', KNOWN))
  t.deepEqual(since('0-0'), [KNOWN])
  onEntry(said('6-0', 'LockReleased', KNOWN))
  t.deepEqual([since('0-0'), seen()], [[], '6-0'])
})

test('one that was followed to its end is not known again when the same is returned once more', (t) => {
  const { onResumed, onGranted, onEntry, since } = openKnowledge(compareIds)
  onResumed('0-0')
  onEntry(said('5-0', 'LockGranted', KNOWN))
  onGranted(KNOWN)
  t.deepEqual(since('0-0'), [KNOWN])
  onEntry(said('6-0', 'LockReleased', KNOWN))
  onGranted(KNOWN)
  t.deepEqual(since('0-0'), [])
})

test('one is known that was returned, but not followed: it came before what is followed, or behind', (t) => {
  for (const entry of ['4-0', '5-0', '9-0']) {
    const { onResumed, onGranted, onEntry, since } = openKnowledge(compareIds)
    onResumed('5-0')
    onEntry(said('8-0', 'LockGranted', { lock: 'other', lease: 'l2', token: 8 }))
    onGranted({ ...KNOWN, entry })
    t.true(
      since('0-0').some(({ lock }) => lock === 'bill'),
      entry,
    )
  }
})

test('also after the connection by which it is followed was lost', (t) => {
  const { onResumed, onGranted, onEntry, since } = openKnowledge(compareIds)
  onResumed('0-0')
  onEntry(said('5-0', 'LockGranted', KNOWN))
  onEntry(said('6-0', 'LockReleased', KNOWN))
  onResumed('6-0')
  onGranted(KNOWN)
  t.deepEqual(since('0-0'), [])
  onResumed('4-0')
  onGranted(KNOWN)
  t.deepEqual(since('0-0'), [KNOWN], 'what is forgotten was not followed')
})
