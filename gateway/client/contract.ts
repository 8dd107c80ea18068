/**
 * What can the shop be asked, in types?
 *
 * `npm run openapi` writes this from the rows of all services: a change here is lost. Streams of events are not among it.
 */

export type Order = {
  readonly order_id: string
  readonly paid: boolean
  readonly items: readonly (readonly [string, number])[]
  readonly user_id: string
  readonly total_cost: number
  readonly status: 'open' | 'submitted' | 'checking-out' | 'paid' | 'changing' | 'cancelling' | 'cancelled' | 'expired'
}

export type WholeOrder = {
  readonly order_id: string
  readonly paid: boolean
  readonly items: readonly (readonly [string, number])[]
  readonly user_id: string
  readonly total_cost: number
  readonly status: 'open' | 'submitted' | 'checking-out' | 'paid' | 'changing' | 'cancelling' | 'cancelled' | 'expired'
  readonly number: number | null
  readonly version: number
  readonly lines_version: number | null
  readonly payment_status: 'unpaid' | 'paid' | 'partially-refunded' | 'refunded'
  readonly lines: readonly {
    readonly item_id: string
    readonly quantity: number
    readonly cost: number | null
    readonly returned: number
    readonly refunded: number | null
  }[]
  readonly paid_amount: number
  readonly refunded_amount: number
  readonly method: string | null
  readonly installments: number | null
  readonly plan: readonly number[] | null
  readonly invoice: {
    readonly number: string | null
    readonly status: 'draft' | 'void' | 'issued' | 'partly-credited' | 'credited'
    readonly total: number
    readonly order_version: number | null
    readonly replaces: readonly string[]
  } | null
  readonly credit_notes: readonly string[]
  readonly checkout: {
    readonly log_id: string
    readonly state: 'submitted' | 'checking-out' | 'paid' | 'failed' | 'cancelling' | 'closed'
    readonly reason: string | null
    readonly item_id: string | null
  } | null
  readonly amendment: {
    readonly log_id: string
    readonly state: 'submitted' | 'checking-out' | 'paid' | 'failed' | 'cancelling' | 'closed'
    readonly reason: string | null
    readonly item_id: string | null
  } | null
  readonly created_at: string | null
  readonly updated_at: string | null
}

export type Checkout = {
  readonly order_id: string
  readonly log_id: string
  readonly state: 'submitted' | 'checking-out' | 'paid' | 'refused' | 'cancelled'
  readonly reason: string | null
  readonly item_id: string | null
  readonly deadline: string | null
  readonly decided_at: string | null
}

export type HeldLease = {
  readonly name: string
  readonly lease: string
  readonly state: 'held'
  readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit'
  readonly permits: number
  readonly token: number
  readonly owner: string | null
  readonly ttl_ms: number
  readonly expires_in_ms: number
  readonly acquired_at: string
  readonly metadata: Readonly<Record<string, string>>
}

export type WaitingLease = {
  readonly name: string
  readonly lease: string
  readonly state: 'waiting'
  readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit'
  readonly permits: number
  readonly priority: number
  readonly owner: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly position: number
  readonly ahead: number
  readonly estimated_wait_ms: number | null
}

export type Lock = {
  readonly name: string
  readonly state: 'free' | 'held' | 'delayed'
  readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit' | null
  readonly limit: number | null
  readonly write: 'exclusive' | 'shared' | null
  readonly delay_ms: number
  readonly delayed_for_ms: number
  readonly holders: readonly {
    readonly owner: string | null
    readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit'
    readonly permits: number
    readonly token: number
    readonly acquired_at: string
    readonly expires_in_ms: number
    readonly metadata: Readonly<Record<string, string>>
  }[]
  readonly waiter_count: number
  readonly waiters?: readonly {
    readonly owner: string | null
    readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit'
    readonly permits: number
    readonly priority: number
    readonly since: string
    readonly metadata: Readonly<Record<string, string>>
  }[] | undefined
  readonly token: number
  readonly history: readonly {
    readonly event: string
    readonly at: string
    readonly token: number | null
    readonly owner: string | null
    readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit' | null
  }[]
  readonly retry: {
    readonly after_ms: number
    readonly max_ms: number
    readonly multiplier: number
    readonly jitter: number
  }
}

export type LogEntry = {
  readonly id: string
  readonly at: string
  readonly kind: string
  readonly version: string
  readonly log_id: string
  readonly facts: Readonly<Record<string, string>>
}

export type Saga = {
  readonly service: string
  readonly log_id: string
  readonly state: string
  readonly begun: string | null
  readonly since: string | null
  readonly unfinished: boolean
  readonly recorded: Readonly<Record<string, string>>
  readonly heard: Readonly<Record<string, boolean>>
  readonly finding: {
    readonly facts: Readonly<Record<string, string>>
    readonly repair: string
  } | null
  readonly next: {
    readonly repair: string
    readonly at: string
  } | null
  readonly next_run: string | null
}

export type Mismatch = {
  readonly what: string
  readonly detail: string
  readonly orders: readonly string[]
  readonly user_id?: string | undefined
  readonly item_id?: string | undefined
}

/** Why something was refused, or failed: the last part of the `type` of a problem. */
export type ProblemKind =
  | 'body-too-large'
  | 'change-cancelled'
  | 'checkout-cancelled'
  | 'checkout-cancelling'
  | 'checkout-consistent'
  | 'checkout-decided'
  | 'checkout-forgotten'
  | 'credit-held'
  | 'dead-letter-applied'
  | 'dead-letter-dismissed'
  | 'dead-letter-failed'
  | 'draining'
  | 'event-outdated'
  | 'expectation-failed'
  | 'feature-off'
  | 'forbidden'
  | 'foreign-page'
  | 'headers-too-large'
  | 'idempotency-key-reused'
  | 'impaired'
  | 'in-use'
  | 'insufficient-scope'
  | 'internal'
  | 'invalid-name'
  | 'invalid-token'
  | 'item-withdrawn'
  | 'keys-unavailable'
  | 'later-run-begun'
  | 'lease-ended'
  | 'lease-not-exclusive'
  | 'lease-reused'
  | 'line-prices-unknown'
  | 'lock-configured-otherwise'
  | 'lock-duplicate'
  | 'lock-held'
  | 'lock-in-use'
  | 'lock-not-held'
  | 'lock-queue-full'
  | 'lock-taken'
  | 'locked'
  | 'locks-in-doubt'
  | 'malformed'
  | 'malformed-body'
  | 'method-invalid'
  | 'method-limits'
  | 'method-not-allowed'
  | 'neighbour-unavailable'
  | 'no-reply-in-time'
  | 'no-room'
  | 'no-such-checkout'
  | 'no-such-credit-note'
  | 'no-such-dead-letter'
  | 'no-such-feature'
  | 'no-such-holder'
  | 'no-such-invoice'
  | 'no-such-item'
  | 'no-such-lease'
  | 'no-such-lock'
  | 'no-such-log-id'
  | 'no-such-order'
  | 'no-such-refund'
  | 'no-such-route'
  | 'no-such-run'
  | 'no-such-saga'
  | 'no-such-user'
  | 'no-such-webhook'
  | 'not-done'
  | 'not-implemented'
  | 'not-ready'
  | 'nothing-to-refund'
  | 'order-cancelled'
  | 'order-changing'
  | 'order-contradicted'
  | 'order-deleted'
  | 'order-empty'
  | 'order-expired'
  | 'order-full'
  | 'order-invalid'
  | 'order-not-open'
  | 'order-not-paid'
  | 'out-of-credit'
  | 'out-of-stock'
  | 'outcome-unknown'
  | 'overloaded'
  | 'partly-refunded'
  | 'past-the-gateway'
  | 'precondition-required'
  | 'price-changed'
  | 'process-present'
  | 'quantity-too-great'
  | 'request-timeout'
  | 'run-decided'
  | 'run-lost'
  | 'run-taken'
  | 'run-too-early'
  | 'service-unavailable'
  | 'stale'
  | 'stale-lock-token'
  | 'token-ended'
  | 'too-many-amendments'
  | 'too-many-connections'
  | 'too-many-listeners'
  | 'too-many-locks'
  | 'too-many-refunds'
  | 'too-many-requests'
  | 'too-many-viewers'
  | 'too-many-watchers'
  | 'too-many-webhooks'
  | 'unauthorised'
  | 'unavailable'
  | 'unsupported-media-type'
  | 'uri-too-long'
  | 'version-not-supported'
  | 'wrong-host'

export type Operations = {
  /** Makes an id; under an Idempotency-Key the same one again (customer). */
  readonly createId: {
    readonly given: {}
    readonly answers: {
      readonly 200: string
    }
  }
  /** Gets a lock, or waits for it, by a lease that the client names (merchant). */
  readonly acquireLease: {
    readonly given: {
      readonly params: {
        readonly lock: string
        readonly lease: string
      }
      readonly body?: {
        readonly mode?: 'exclusive' | 'read' | 'write-shared' | 'permit' | undefined
        readonly ttl_ms?: number | undefined
        readonly wait_ms?: number | undefined
        readonly queue?: boolean | undefined
        readonly priority?: number | undefined
        readonly permits?: number | undefined
        readonly limit?: number | undefined
        readonly owner?: string | undefined
        readonly metadata?: Readonly<Record<string, string>> | undefined
        readonly delay_ms?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: HeldLease
      readonly 201: HeldLease
      readonly 202: WaitingLease
    }
  }
  /** The same by a lease that the service names (merchant). */
  readonly requestLease: {
    readonly given: {
      readonly params: {
        readonly lock: string
      }
      readonly body?: {
        readonly mode?: 'exclusive' | 'read' | 'write-shared' | 'permit' | undefined
        readonly ttl_ms?: number | undefined
        readonly wait_ms?: number | undefined
        readonly queue?: boolean | undefined
        readonly priority?: number | undefined
        readonly permits?: number | undefined
        readonly limit?: number | undefined
        readonly owner?: string | undefined
        readonly metadata?: Readonly<Record<string, string>> | undefined
        readonly delay_ms?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: HeldLease
      readonly 201: HeldLease
      readonly 202: WaitingLease
    }
  }
  /** Shows how a lease stands; with wait_ms once it no longer waits, or after so long (merchant). */
  readonly askLease: {
    readonly given: {
      readonly params: {
        readonly lock: string
        readonly lease: string
      }
      readonly query?: {
        readonly wait_ms?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: HeldLease
      readonly 202: WaitingLease
    }
  }
  /** Lets a lease that holds end later, or changes it; of one that waits, its metadata or priority (merchant). */
  readonly renewLease: {
    readonly given: {
      readonly params: {
        readonly lock: string
        readonly lease: string
      }
      readonly body?: {
        readonly ttl_ms?: number | undefined
        readonly metadata?: Readonly<Record<string, string>> | undefined
        readonly priority?: number | undefined
        readonly mode?: 'read' | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: HeldLease
      readonly 202: WaitingLease
    }
  }
  /** Releases a lock, or waits for it no longer (merchant). */
  readonly releaseLease: {
    readonly given: {
      readonly params: {
        readonly lock: string
        readonly lease: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly lease: string
        readonly ended: 'released' | 'expired' | 'forced' | 'cancelled' | 'unclaimed' | 'timed-out'
        readonly at: string
        readonly waiter_promoted: boolean
      }
    }
  }
  /** Shows who holds a lock, and who waits for it (merchant). */
  readonly showLock: {
    readonly given: {
      readonly params: {
        readonly lock: string
      }
      readonly query?: {
        readonly waiters?: 'true' | 'false' | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: Lock
    }
  }
  /** Says how a lock may be used: all of it anew (operator). */
  readonly configureLock: {
    readonly given: {
      readonly params: {
        readonly lock: string
      }
      readonly body?: {
        readonly limit?: number | undefined
        readonly write?: 'exclusive' | 'shared' | undefined
        readonly delay_ms?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly limit: number | null
        readonly write: 'exclusive' | 'shared' | null
        readonly delay_ms: number
      }
      readonly 201: {
        readonly name: string
        readonly limit: number | null
        readonly write: 'exclusive' | 'shared' | null
        readonly delay_ms: number
      }
    }
  }
  /** Ends the leases that hold a lock, or the one with a token; with waiters those that wait, too (operator). */
  readonly forceLock: {
    readonly given: {
      readonly params: {
        readonly lock: string
      }
      readonly query?: {
        readonly token?: number | undefined
        readonly waiters?: 'true' | 'false' | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly forced: readonly number[]
        readonly promoted: readonly number[]
        readonly dropped: number
      }
    }
  }
  /** Lists locks by name (operator). */
  readonly listLocks: {
    readonly given: {
      readonly query?: {
        readonly name?: string | undefined
        readonly owner?: string | undefined
        readonly state?: 'held' | 'free' | 'contested' | undefined
        readonly mode?: 'exclusive' | 'read' | 'write-shared' | 'permit' | undefined
        readonly expires_before_ms?: number | undefined
        readonly expires_after_ms?: number | undefined
        readonly meta?: string | undefined
        readonly waiters?: 'true' | 'false' | undefined
        readonly count?: 'true' | 'false' | undefined
        readonly limit?: number | undefined
        readonly after?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly locks: readonly {
          readonly name: string
          readonly state: 'free' | 'held' | 'delayed'
          readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit' | null
          readonly limit: number | null
          readonly write: 'exclusive' | 'shared' | null
          readonly delay_ms: number
          readonly delayed_for_ms: number
          readonly holders: readonly {
            readonly owner: string | null
            readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit'
            readonly permits: number
            readonly token: number
            readonly acquired_at: string
            readonly expires_in_ms: number
            readonly metadata: Readonly<Record<string, string>>
          }[]
          readonly waiter_count: number
          readonly waiters?: readonly {
            readonly owner: string | null
            readonly mode: 'exclusive' | 'read' | 'write-shared' | 'permit'
            readonly permits: number
            readonly priority: number
            readonly since: string
            readonly metadata: Readonly<Record<string, string>>
          }[] | undefined
          readonly token: number
        }[]
        readonly next: string | null
        readonly total?: number | undefined
      }
    }
  }
  /** Says whether the lease with a token still holds (merchant). */
  readonly checkToken: {
    readonly given: {
      readonly params: {
        readonly lock: string
        readonly token: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly holds: true
        readonly mode: string
        readonly owner: string | null
        readonly expires_in_ms: number
      }
    }
  }
  /** Counts locks, and what waits here; says what is known to be forgotten (operator). */
  readonly showLocksStatus: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly locks: number
        readonly in_use: number
        readonly waiting_here: number
        readonly in_doubt_for_ms: number
        readonly lost: readonly {
          readonly name: string
          readonly owner: string | null
          readonly token: number
          readonly until: string
        }[]
      }
    }
  }
  /** Says whether locks are granted (anybody). */
  readonly checkLocksHealth: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly healthy: true
      }
    }
  }
  /** Makes a candidate the leader, or has it wait until it is its turn; the same again says how it stands (merchant). */
  readonly stand: {
    readonly given: {
      readonly params: {
        readonly election: string
        readonly candidate: string
      }
      readonly body?: {
        readonly ttl_ms?: number | undefined
        readonly value?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly leader: true
        readonly candidate: string
        readonly term: number
        readonly value: string | null
        readonly ttl_ms: number
        readonly expires_in_ms: number
      }
      readonly 201: {
        readonly leader: true
        readonly candidate: string
        readonly term: number
        readonly value: string | null
        readonly ttl_ms: number
        readonly expires_in_ms: number
      }
      readonly 202: {
        readonly leader: false
        readonly candidate: string
        readonly position: number
        readonly led_by: string | null
      }
    }
  }
  /** Shows how a candidate stands; with wait_ms once it leads, or after so long (merchant). */
  readonly askCandidate: {
    readonly given: {
      readonly params: {
        readonly election: string
        readonly candidate: string
      }
      readonly query?: {
        readonly wait_ms?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly leader: true
        readonly candidate: string
        readonly term: number
        readonly value: string | null
        readonly ttl_ms: number
        readonly expires_in_ms: number
      }
      readonly 202: {
        readonly leader: false
        readonly candidate: string
        readonly position: number
        readonly led_by: string | null
      }
    }
  }
  /** Lets a leader lead for longer, or changes what it is known by (merchant). */
  readonly renewCandidate: {
    readonly given: {
      readonly params: {
        readonly election: string
        readonly candidate: string
      }
      readonly body?: {
        readonly ttl_ms?: number | undefined
        readonly value?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly leader: true
        readonly candidate: string
        readonly term: number
        readonly value: string | null
        readonly ttl_ms: number
        readonly expires_in_ms: number
      }
      readonly 202: {
        readonly leader: false
        readonly candidate: string
        readonly position: number
        readonly led_by: string | null
      }
    }
  }
  /** Has a leader lead no more, or a candidate stand no more (merchant). */
  readonly resign: {
    readonly given: {
      readonly params: {
        readonly election: string
        readonly candidate: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly candidate: string
        readonly ended: string
        readonly at: string
      }
    }
  }
  /** Shows who leads, and how many wait for it (merchant). */
  readonly showElection: {
    readonly given: {
      readonly params: {
        readonly election: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly leader: {
          readonly candidate: string | null
          readonly value: string | null
          readonly term: number
          readonly expires_in_ms: number
        } | null
        readonly candidates: number
      }
    }
  }
  /** Says whether this runner is to run a job for the time at which it was due; the same again says the same (merchant). */
  readonly beginRun: {
    readonly given: {
      readonly params: {
        readonly job: string
        readonly slot: string
        readonly runner: string
      }
      readonly body?: {
        readonly ttl_ms?: number | undefined
        readonly if_lost?: 'skip' | 'again' | undefined
        readonly keep?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly job: string
        readonly slot: string
        readonly token: number
        readonly expires_in_ms: number
      }
      readonly 201: {
        readonly job: string
        readonly slot: string
        readonly token: number
        readonly expires_in_ms: number
      }
    }
  }
  /** Lets a run last for longer, or says what became of it (merchant). */
  readonly changeRun: {
    readonly given: {
      readonly params: {
        readonly job: string
        readonly slot: string
        readonly runner: string
      }
      readonly body?: {
        readonly ttl_ms?: number | undefined
        readonly outcome?: 'done' | 'failed' | undefined
        readonly note?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly job: string
        readonly slot: string
        readonly state: string
        readonly expires_in_ms: number
      }
    }
  }
  /** Shows the run of a job that is under way, and what became of the last one that was begun (merchant). */
  readonly showJob: {
    readonly given: {
      readonly params: {
        readonly job: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly job: string
        readonly running: {
          readonly slot: string
          readonly state: 'running' | 'done' | 'failed' | 'lost'
          readonly by: string
          readonly at: string
          readonly token: number
          readonly note: string | null
        } | null
        readonly last: {
          readonly slot: string
          readonly state: 'running' | 'done' | 'failed' | 'lost'
          readonly by: string
          readonly at: string
          readonly token: number
          readonly note: string | null
        } | null
      }
    }
  }
  /** Locks a resource for some seconds, or says that it is locked: as clients of an older lock service know it (merchant). */
  readonly lock: {
    readonly given: {
      readonly body: {
        readonly resource: string
        readonly ttl?: number | undefined
      }
    }
    readonly answers: {
      readonly 200: {
        readonly lock_id: string
        readonly token: number
      }
    }
  }
  /** Unlocks what was locked, and says whether it still was (merchant). */
  readonly unlock: {
    readonly given: {
      readonly body: {
        readonly lock_id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly lock_id: string
        readonly unlocked: boolean
      }
    }
  }
  /** Makes a lock: one that is written by one process alone, if that is said (merchant). */
  readonly makeDistributedLock: {
    readonly given: {
      readonly params: {
        readonly lock: string
      }
      readonly query?: {
        readonly is_write_exclusive?: 'true' | 'false' | undefined
      } | undefined
      readonly headers: {
        readonly 'user-id': string
      }
    }
    readonly answers: {
      readonly 201: {
        readonly id: string
        readonly created_at: string | null
        readonly updated_at: string | null
        readonly lock_id: string
        readonly read_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly write_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly is_write_exclusive: boolean
        readonly current_state: 'FREE' | 'READ' | 'WRITE'
      }
    }
  }
  /** Shows which processes have a lock (merchant). */
  readonly showDistributedLock: {
    readonly given: {
      readonly params: {
        readonly lock: string
      }
      readonly headers: {
        readonly 'user-id': string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly created_at: string | null
        readonly updated_at: string | null
        readonly lock_id: string
        readonly read_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly write_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly is_write_exclusive: boolean
        readonly current_state: 'FREE' | 'READ' | 'WRITE'
      }
    }
  }
  /** Has a process read, or write, for some seconds (merchant). */
  readonly holdDistributedLock: {
    readonly given: {
      readonly params: {
        readonly lock: string
        readonly kind: 'read-process' | 'write-process'
        readonly process: string
      }
      readonly query?: {
        readonly timeout?: number | undefined
        readonly timeout_seconds?: number | undefined
      } | undefined
      readonly headers: {
        readonly 'user-id': string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly created_at: string | null
        readonly updated_at: string | null
        readonly lock_id: string
        readonly read_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly write_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly is_write_exclusive: boolean
        readonly current_state: 'FREE' | 'READ' | 'WRITE'
      }
    }
  }
  /** Has a process read, or write, for some seconds more; it never acquires (merchant). */
  readonly refreshDistributedLock: {
    readonly given: {
      readonly params: {
        readonly lock: string
        readonly kind: 'read-process' | 'write-process'
        readonly process: string
      }
      readonly query?: {
        readonly timeout?: number | undefined
        readonly timeout_seconds?: number | undefined
      } | undefined
      readonly headers: {
        readonly 'user-id': string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly created_at: string | null
        readonly updated_at: string | null
        readonly lock_id: string
        readonly read_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly write_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly is_write_exclusive: boolean
        readonly current_state: 'FREE' | 'READ' | 'WRITE'
      }
    }
  }
  /** Has a process read, or write, no more (merchant). */
  readonly releaseDistributedLock: {
    readonly given: {
      readonly params: {
        readonly lock: string
        readonly kind: 'read-process' | 'write-process'
        readonly process: string
      }
      readonly headers: {
        readonly 'user-id': string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly created_at: string | null
        readonly updated_at: string | null
        readonly lock_id: string
        readonly read_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly write_process_list: readonly {
          readonly process_id: string
          readonly lock_acquired_at: string
          readonly timeout: number
        }[]
        readonly is_write_exclusive: boolean
        readonly current_state: 'FREE' | 'READ' | 'WRITE'
      }
    }
  }
  /** Counts the entries of the log (operator). */
  readonly countEntriesOfIds: {
    readonly given: {}
    readonly answers: {
      readonly 200: string
    }
  }
  /** Shows the entries of one log id (operator). */
  readonly findEntriesOfIds: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly logs: readonly LogEntry[]
      }
    }
  }
  /** Shows a page of the log, behind the entry `after` (operator). */
  readonly listEntriesOfIds: {
    readonly given: {
      readonly query?: {
        readonly after?: string | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly logs: readonly LogEntry[]
        readonly next: string | null
      }
    }
  }
  /** Shows the entries of the last minutes by their log ids (operator). */
  readonly listRecentEntriesOfIds: {
    readonly given: {
      readonly params: {
        readonly minutes: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly logs: Readonly<Record<string, readonly LogEntry[]>>
        readonly next: string | null
      }
    }
  }
  /** Shows how one replica reads the logs of its peers, its last run of the log parser, and what its Redis holds (operator). */
  readonly showReadersOfIds: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly service: string
        readonly replica: string
        readonly readers: readonly {
          readonly speaker: string
          readonly reads: boolean
          readonly cursor: string
          readonly newest: string | null
          readonly lag_ms: number | null
          readonly lag_entries: number | null
          readonly unreached_ms: number
        }[]
        readonly log: {
          readonly entries: number
          readonly newest: string
        }
        readonly parser: {
          readonly last_run: {
            readonly at: string
            readonly took_ms: number
            readonly found: number
            readonly repaired: number
            readonly trimmed: number
          } | null
          readonly next_run: string | null
        }
        readonly lost_tails: readonly {
          readonly speaker: string
          readonly noticed: string
          readonly after: string
          readonly until: string
          readonly named: number
        }[]
        readonly memory: {
          readonly used: number | null
          readonly limit: number | null
        }
      }
    }
  }
  /** Runs the log parser: repairs what is unfinished, and reports it (operator). */
  readonly parseLogOfIds: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly service: string
        readonly found: readonly {
          readonly log_id: string
          readonly facts: Readonly<Record<string, string>>
          readonly repair: string
          readonly done: string
        }[]
        readonly lost_tails: readonly {
          readonly speaker: string
          readonly noticed: string
          readonly after: string
          readonly until: string
          readonly unnamed_until: string | null
          readonly entries: readonly LogEntry[]
        }[]
        readonly trimmed: number
        readonly dead_letters: number
        readonly contradictions: readonly string[]
      }
    }
  }
  /** Shows how a saga stands, and what the log parser will do for it (operator). */
  readonly showSagaOfIds: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: Saga
    }
  }
  /** Shows a page of the entries that could not be applied, behind the one `after` (operator). */
  readonly listDeadLettersOfIds: {
    readonly given: {
      readonly query?: {
        readonly after?: string | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly letters: readonly {
          readonly id: string
          readonly at: string
          readonly speaker: string
          readonly entry: string
          readonly error: string
          readonly fields: readonly string[]
          readonly applied: {
            readonly at: string
            readonly word: string
          } | null
          readonly dismissed: string | null
        }[]
        readonly next: string | null
      }
    }
  }
  /** Applies the entry of a dead letter, once (operator). */
  readonly retryDeadLetterOfIds: {
    readonly given: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly word: string
        readonly repeated: boolean
      }
    }
  }
  /** Gives a dead letter up, whose entry is never to be applied (operator). */
  readonly dismissDeadLetterOfIds: {
    readonly given: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly dismissed: string
        readonly repeated: boolean
      }
    }
  }
  /** Shows the features of the service: its routes that can be switched off (operator). */
  readonly listFeaturesOfIds: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly features: readonly {
          readonly name: string
          readonly route: string
          readonly on: boolean
        }[]
      }
    }
  }
  /** Shows whether a feature is on (operator). */
  readonly showFeatureOfIds: {
    readonly given: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly route: string
        readonly on: boolean
      }
    }
  }
  /** Switches a feature off, so that its requests are refused, or on again (operator). */
  readonly setFeatureOfIds: {
    readonly given: {
      readonly params: {
        readonly name: string
      }
      readonly body: {
        readonly on: boolean
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly route: string
        readonly on: boolean
      }
    }
  }
  /** Makes an order without lines (customer). */
  readonly createOrder: {
    readonly given: {
      readonly params: {
        readonly user: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly order_id: string
        readonly log_id: string
      }
    }
  }
  /** Shows an order (customer). */
  readonly findOrder: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
    }
    readonly answers: {
      readonly 200: Order
    }
  }
  /** Shows an order with all that is known of it; its `ETag` is its version (customer). */
  readonly showOrder: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
    }
    readonly answers: {
      readonly 200: WholeOrder
    }
  }
  /** Makes an order with all its lines, each at the price that its item has now (customer). */
  readonly placeOrder: {
    readonly given: {
      readonly body: {
        readonly user_id: string
        readonly lines?: readonly {
          readonly item_id: string
          readonly quantity: number
        }[] | undefined
        readonly item_id?: string | undefined
        readonly quantity?: number | undefined
        readonly value?: number | undefined
        readonly method?: 'credit_card' | 'debit_card' | 'transfer' | 'cash' | undefined
        readonly installments?: number | undefined
      }
    }
    readonly answers: {
      readonly 201: {
        readonly id: string
        readonly order_id: string
        readonly paid: boolean
        readonly items: readonly (readonly [string, number])[]
        readonly user_id: string
        readonly total_cost: number
        readonly status: 'open' | 'submitted' | 'checking-out' | 'paid' | 'changing' | 'cancelling' | 'cancelled' | 'expired'
        readonly number: number | null
        readonly version: number
        readonly lines_version: number | null
        readonly payment_status: 'unpaid' | 'paid' | 'partially-refunded' | 'refunded'
        readonly lines: readonly {
          readonly item_id: string
          readonly quantity: number
          readonly cost: number | null
          readonly returned: number
          readonly refunded: number | null
        }[]
        readonly paid_amount: number
        readonly refunded_amount: number
        readonly method: string | null
        readonly installments: number | null
        readonly plan: readonly number[] | null
        readonly invoice: {
          readonly number: string | null
          readonly status: 'draft' | 'void' | 'issued' | 'partly-credited' | 'credited'
          readonly total: number
          readonly order_version: number | null
          readonly replaces: readonly string[]
        } | null
        readonly credit_notes: readonly string[]
        readonly checkout: {
          readonly log_id: string
          readonly state: 'submitted' | 'checking-out' | 'paid' | 'failed' | 'cancelling' | 'closed'
          readonly reason: string | null
          readonly item_id: string | null
        } | null
        readonly amendment: {
          readonly log_id: string
          readonly state: 'submitted' | 'checking-out' | 'paid' | 'failed' | 'cancelling' | 'closed'
          readonly reason: string | null
          readonly item_id: string | null
        } | null
        readonly created_at: string | null
        readonly updated_at: string | null
      }
    }
  }
  /** Shows the orders of a user, the newest first; of one status, if it is named (customer). */
  readonly listOrders: {
    readonly given: {
      readonly query?: {
        readonly user?: string | undefined
        readonly status?: 'open' | 'submitted' | 'checking-out' | 'paid' | 'changing' | 'cancelling' | 'cancelled' | 'expired' | undefined
        readonly after?: string | undefined
        readonly offset?: number | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly offset: number | null
        readonly limit: number
        readonly total: number | null
        readonly orders: readonly WholeOrder[]
        readonly next: string | null
      }
    }
  }
  /** Adds a line to an order, at the price that the item has now (customer). */
  readonly addItem: {
    readonly given: {
      readonly params: {
        readonly order: string
        readonly item: string
        readonly quantity: number
      }
    }
    readonly answers: {
      readonly 200: string
    }
  }
  /** Checks an order out; it is charged once, however often this is asked for. A client that would not wait (`Prefer: respond-async`, or `respond-async, wait=2`) is told where to ask (customer). */
  readonly checkout: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
    }
    readonly answers: {
      readonly 200: string
      readonly 202: Checkout
    }
  }
  /** Shows the last checkout of an order; with `Prefer: wait=20` once that is decided, or after that many seconds (customer). */
  readonly showCheckout: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
    }
    readonly answers: {
      readonly 200: Checkout
    }
  }
  /** Shows the log ids of the checkouts of an order, the last one first (operator). */
  readonly listCheckouts: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly order_id: string
        readonly log_ids: readonly string[]
      }
    }
  }
  /** Gives a checkout up that is not decided (operator). */
  readonly cancelCheckout: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly log_id: string
        readonly done: 'cancelled'
      }
    }
  }
  /** Shows the checkouts that are not what was decided of them (operator). */
  readonly listContradictions: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly contradictions: readonly {
          readonly order_id: string
          readonly log_id: string | null
          readonly by: string
          readonly since: string | null
        }[]
      }
    }
  }
  /** Ends a contradiction, by a refund or by accepting it (operator). */
  readonly resolveContradiction: {
    readonly given: {
      readonly params: {
        readonly log_id: string
        readonly by: 'refund' | 'accept'
      }
      readonly query?: {
        readonly why?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly log_id: string
        readonly done: 'refund' | 'accept'
        readonly state: string
        readonly repeated: boolean
      }
    }
  }
  /** Makes the orders 0 to n-1 anew, each of two lines and of one of the users 0 to n_users-1 (operator). */
  readonly initOrders: {
    readonly given: {
      readonly params: {
        readonly n: number
        readonly n_items: number
        readonly n_users: number
        readonly item_price: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly msg: string
      }
    }
  }
  /** Shows whether money and goods are conserved over the whole shop (operator). */
  readonly auditOfOrder: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly balanced: boolean
        readonly credit: {
          readonly added: string
          readonly wallets: string
          readonly paid: string
          readonly accepted: string
          readonly in_flight: string
        }
        readonly stock: {
          readonly added: string
          readonly shelf: string
          readonly sold: string
          readonly written_off: string
          readonly accepted: string
          readonly in_flight: string
        }
        readonly documents?: {
          readonly invoiced: string
          readonly credited: string
          readonly undocumented: string
          readonly gaps: number
        } | undefined
        readonly in_flight: number
        readonly cut: {
          readonly order: string
          readonly payment: string
          readonly stock: string
        }
        readonly mismatches: readonly Mismatch[]
      }
    }
  }
  /** Cancels an order for good, from the version that is named, if one is; what was paid for it goes back (customer). */
  readonly cancelOrder: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
      readonly body?: {
        readonly reason?: string | undefined
        readonly restock?: boolean | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly status: 'cancelled' | 'cancelling'
        readonly refunded: number
        readonly credit_note: string | null
      }
      readonly 202: {
        readonly status: 'cancelled' | 'cancelling'
        readonly refunded: number
        readonly credit_note: string | null
      }
    }
  }
  /** Cancels an order for good, from the version that is named, if one is (customer). */
  readonly deleteOrder: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
    }
    readonly answers: {
      readonly 202: {
        readonly status: 'cancelled' | 'cancelling'
        readonly refunded: number
        readonly credit_note: string | null
      }
      readonly 204: undefined
    }
  }
  /** Changes of how many pieces the lines of an order are; 0 removes a line, and others stay. Of one that is paid the difference is paid, or goes back (customer). */
  readonly changeOrder: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
      readonly query?: {
        readonly dry_run?: 'true' | 'false' | undefined
      } | undefined
      readonly body: {
        readonly lines?: readonly {
          readonly item_id: string
          readonly quantity: number
        }[] | undefined
        readonly quantity?: number | undefined
        readonly value?: number | undefined
        readonly update_time?: number | string | undefined
      }
    }
    readonly answers: {
      readonly 200: WholeOrder
      readonly 202: WholeOrder
    }
  }
  /** Gives pieces of a paid order back, and the money for them; all that is left, if no lines are named (customer). */
  readonly refundOrder: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
      readonly body?: {
        readonly lines?: readonly {
          readonly item_id: string
          readonly quantity: number
        }[] | undefined
        readonly restock?: 'shelf' | 'none' | undefined
        readonly reason?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 201: {
        readonly refund_id: string
        readonly order_id: string
        readonly status: 'granted' | 'settled'
        readonly amount: number
        readonly lines: readonly {
          readonly item_id: string
          readonly quantity: number
        }[]
        readonly restock: 'shelf' | 'none'
        readonly reason: string | null
        readonly credit_note: string | null
        readonly replaces: readonly string[]
        readonly granted_at: string
      }
      readonly 202: {
        readonly refund_id: string
        readonly order_id: string
        readonly status: 'granted' | 'settled'
        readonly amount: number
        readonly lines: readonly {
          readonly item_id: string
          readonly quantity: number
        }[]
        readonly restock: 'shelf' | 'none'
        readonly reason: string | null
        readonly credit_note: string | null
        readonly replaces: readonly string[]
        readonly granted_at: string
      }
    }
  }
  /** Shows the refunds of an order, the oldest first (customer). */
  readonly listRefunds: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly order_id: string
        readonly refunds: readonly {
          readonly refund_id: string
          readonly order_id: string
          readonly status: 'granted' | 'settled'
          readonly amount: number
          readonly lines: readonly {
            readonly item_id: string
            readonly quantity: number
          }[]
          readonly restock: 'shelf' | 'none'
          readonly reason: string | null
          readonly credit_note: string | null
          readonly replaces: readonly string[]
          readonly granted_at: string
        }[]
      }
    }
  }
  /** Shows a refund, and whether it is settled (customer). */
  readonly showRefund: {
    readonly given: {
      readonly params: {
        readonly order: string
        readonly refund: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly refund_id: string
        readonly order_id: string
        readonly status: 'granted' | 'settled'
        readonly amount: number
        readonly lines: readonly {
          readonly item_id: string
          readonly quantity: number
        }[]
        readonly restock: 'shelf' | 'none'
        readonly reason: string | null
        readonly credit_note: string | null
        readonly replaces: readonly string[]
        readonly granted_at: string
      }
    }
  }
  /** Has events of these types, or of all, sent to a URL from now on; shows the secret that signs them, once (operator). */
  readonly createWebhook: {
    readonly given: {
      readonly body: {
        readonly url: string
        readonly events?: readonly ('shop.order.created' | 'shop.order.placed' | 'shop.order.line_added' | 'shop.order.changed' | 'shop.order.amended' | 'shop.order.paid' | 'shop.order.cancelled' | 'shop.order.expired' | 'shop.checkout.submitted' | 'shop.checkout.started' | 'shop.checkout.failed' | 'shop.checkout.cancelled' | 'shop.checkout.undone' | 'shop.checkout.contradicted' | 'shop.checkout.resolved' | 'shop.refund.granted' | 'shop.refund.settled')[] | undefined
        readonly enabled?: boolean | undefined
      }
    }
    readonly answers: {
      readonly 201: {
        readonly webhook_id: string
        readonly url: string
        readonly events: readonly string[]
        readonly enabled: boolean
        readonly disabled_by: string | null
        readonly created_at: string
        readonly delivered_at: string | null
        readonly behind_ms: number
        readonly failures: number
        readonly last_error: string | null
        readonly next_attempt_at: string | null
        readonly lost: readonly {
          readonly after: string
          readonly until: string
          readonly noticed_at: string
        }[]
        readonly secret: string
      }
    }
  }
  /** Shows all webhooks, the oldest first (operator). */
  readonly listWebhooks: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly webhooks: readonly {
          readonly webhook_id: string
          readonly url: string
          readonly events: readonly string[]
          readonly enabled: boolean
          readonly disabled_by: string | null
          readonly created_at: string
          readonly delivered_at: string | null
          readonly behind_ms: number
          readonly failures: number
          readonly last_error: string | null
          readonly next_attempt_at: string | null
          readonly lost: readonly {
            readonly after: string
            readonly until: string
            readonly noticed_at: string
          }[]
        }[]
      }
    }
  }
  /** Shows a webhook, how far behind it is, and what it has lost (operator). */
  readonly showWebhook: {
    readonly given: {
      readonly params: {
        readonly webhook: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly webhook_id: string
        readonly url: string
        readonly events: readonly string[]
        readonly enabled: boolean
        readonly disabled_by: string | null
        readonly created_at: string
        readonly delivered_at: string | null
        readonly behind_ms: number
        readonly failures: number
        readonly last_error: string | null
        readonly next_attempt_at: string | null
        readonly lost: readonly {
          readonly after: string
          readonly until: string
          readonly noticed_at: string
        }[]
      }
    }
  }
  /** Changes what is given of a webhook, or switches it off or on again; what failed before is tried at once (operator). */
  readonly changeWebhook: {
    readonly given: {
      readonly params: {
        readonly webhook: string
      }
      readonly body: {
        readonly url?: string | undefined
        readonly events?: readonly ('shop.order.created' | 'shop.order.placed' | 'shop.order.line_added' | 'shop.order.changed' | 'shop.order.amended' | 'shop.order.paid' | 'shop.order.cancelled' | 'shop.order.expired' | 'shop.checkout.submitted' | 'shop.checkout.started' | 'shop.checkout.failed' | 'shop.checkout.cancelled' | 'shop.checkout.undone' | 'shop.checkout.contradicted' | 'shop.checkout.resolved' | 'shop.refund.granted' | 'shop.refund.settled')[] | undefined
        readonly enabled?: boolean | undefined
      }
    }
    readonly answers: {
      readonly 200: {
        readonly webhook_id: string
        readonly url: string
        readonly events: readonly string[]
        readonly enabled: boolean
        readonly disabled_by: string | null
        readonly created_at: string
        readonly delivered_at: string | null
        readonly behind_ms: number
        readonly failures: number
        readonly last_error: string | null
        readonly next_attempt_at: string | null
        readonly lost: readonly {
          readonly after: string
          readonly until: string
          readonly noticed_at: string
        }[]
      }
    }
  }
  /** Gives a webhook another secret, and shows it, once; for a day the one before signs as well (operator). */
  readonly rotateWebhookSecret: {
    readonly given: {
      readonly params: {
        readonly webhook: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly webhook_id: string
        readonly url: string
        readonly events: readonly string[]
        readonly enabled: boolean
        readonly disabled_by: string | null
        readonly created_at: string
        readonly delivered_at: string | null
        readonly behind_ms: number
        readonly failures: number
        readonly last_error: string | null
        readonly next_attempt_at: string | null
        readonly lost: readonly {
          readonly after: string
          readonly until: string
          readonly noticed_at: string
        }[]
        readonly secret: string
      }
    }
  }
  /** Forgets a webhook: nothing is sent to it any more (operator). */
  readonly deleteWebhook: {
    readonly given: {
      readonly params: {
        readonly webhook: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly webhook_id: string
        readonly deleted: boolean
      }
    }
  }
  /** Shows the last hundred attempts to deliver to a webhook, the last one first (operator). */
  readonly listDeliveries: {
    readonly given: {
      readonly params: {
        readonly webhook: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly deliveries: readonly {
          readonly event_id: string
          readonly type: string
          readonly at: string
          readonly attempt: number
          readonly status: number | null
          readonly error: string | null
          readonly took_ms: number
        }[]
      }
    }
  }
  /** Sends a test event at once, past all that waits, and says what came of it (operator). */
  readonly testWebhook: {
    readonly given: {
      readonly params: {
        readonly webhook: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly event_id: string
        readonly delivered: boolean
        readonly status: number | null
        readonly error: string | null
        readonly took_ms: number
      }
    }
  }
  /** Places an order over a value and has it paid, which is tried once; its status tells what became of it (customer). */
  readonly placeFormOrder: {
    readonly given: {
      readonly body: {
        readonly value: number
        readonly user_id: string
        readonly installment: number
        readonly method: string
      }
    }
    readonly answers: {
      readonly 201: {
        readonly id: string
        readonly value: string
        readonly user_id: string
        readonly installment: number | null
        readonly status: 'OPEN' | 'PROCESSING' | 'APPROVED' | 'CANCELED'
        readonly method: string | null
      }
    }
  }
  /** Shows an order to form clients (customer). */
  readonly showFormOrder: {
    readonly given: {
      readonly params: {
        readonly order: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly value: string
        readonly user_id: string
        readonly installment: number | null
        readonly status: 'OPEN' | 'PROCESSING' | 'APPROVED' | 'CANCELED'
        readonly method: string | null
      }
    }
  }
  /** Shows the orders of a user to form clients, the newest first (customer). */
  readonly listFormOrders: {
    readonly given: {
      readonly params: {
        readonly user: string
      }
      readonly query?: {
        readonly offset?: number | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly offset: number
        readonly limit: number
        readonly total: number | null
        readonly orders: readonly {
          readonly id: string
          readonly value: string
          readonly user_id: string
          readonly installment: number | null
          readonly status: 'OPEN' | 'PROCESSING' | 'APPROVED' | 'CANCELED'
          readonly method: string | null
        }[]
      }
    }
  }
  /** Shows to form clients each method in each number of instalments, and what an order may cost then (anybody). */
  readonly listOffers: {
    readonly given: {}
    readonly answers: {
      readonly 200: readonly {
        readonly id: number
        readonly method: string
        readonly installments: number
        readonly min: number
        readonly max: number
      }[]
    }
  }
  /** Counts the entries of the log (operator). */
  readonly countEntriesOfOrder: {
    readonly given: {}
    readonly answers: {
      readonly 200: string
    }
  }
  /** Shows the entries of one log id (operator). */
  readonly findEntriesOfOrder: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly logs: readonly LogEntry[]
      }
    }
  }
  /** Shows a page of the log, behind the entry `after` (operator). */
  readonly listEntriesOfOrder: {
    readonly given: {
      readonly query?: {
        readonly after?: string | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly logs: readonly LogEntry[]
        readonly next: string | null
      }
    }
  }
  /** Shows the entries of the last minutes by their log ids (operator). */
  readonly listRecentEntriesOfOrder: {
    readonly given: {
      readonly params: {
        readonly minutes: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly logs: Readonly<Record<string, readonly LogEntry[]>>
        readonly next: string | null
      }
    }
  }
  /** Shows how one replica reads the logs of its peers, its last run of the log parser, and what its Redis holds (operator). */
  readonly showReadersOfOrder: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly service: string
        readonly replica: string
        readonly readers: readonly {
          readonly speaker: string
          readonly reads: boolean
          readonly cursor: string
          readonly newest: string | null
          readonly lag_ms: number | null
          readonly lag_entries: number | null
          readonly unreached_ms: number
        }[]
        readonly log: {
          readonly entries: number
          readonly newest: string
        }
        readonly parser: {
          readonly last_run: {
            readonly at: string
            readonly took_ms: number
            readonly found: number
            readonly repaired: number
            readonly trimmed: number
          } | null
          readonly next_run: string | null
        }
        readonly lost_tails: readonly {
          readonly speaker: string
          readonly noticed: string
          readonly after: string
          readonly until: string
          readonly named: number
        }[]
        readonly memory: {
          readonly used: number | null
          readonly limit: number | null
        }
      }
    }
  }
  /** Runs the log parser: repairs what is unfinished, and reports it (operator). */
  readonly parseLogOfOrder: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly service: string
        readonly found: readonly {
          readonly log_id: string
          readonly facts: Readonly<Record<string, string>>
          readonly repair: string
          readonly done: string
        }[]
        readonly lost_tails: readonly {
          readonly speaker: string
          readonly noticed: string
          readonly after: string
          readonly until: string
          readonly unnamed_until: string | null
          readonly entries: readonly LogEntry[]
        }[]
        readonly trimmed: number
        readonly dead_letters: number
        readonly contradictions: readonly string[]
      }
    }
  }
  /** Shows how a saga stands, and what the log parser will do for it (operator). */
  readonly showSagaOfOrder: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: Saga
    }
  }
  /** Shows a page of the entries that could not be applied, behind the one `after` (operator). */
  readonly listDeadLettersOfOrder: {
    readonly given: {
      readonly query?: {
        readonly after?: string | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly letters: readonly {
          readonly id: string
          readonly at: string
          readonly speaker: string
          readonly entry: string
          readonly error: string
          readonly fields: readonly string[]
          readonly applied: {
            readonly at: string
            readonly word: string
          } | null
          readonly dismissed: string | null
        }[]
        readonly next: string | null
      }
    }
  }
  /** Applies the entry of a dead letter, once (operator). */
  readonly retryDeadLetterOfOrder: {
    readonly given: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly word: string
        readonly repeated: boolean
      }
    }
  }
  /** Gives a dead letter up, whose entry is never to be applied (operator). */
  readonly dismissDeadLetterOfOrder: {
    readonly given: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly dismissed: string
        readonly repeated: boolean
      }
    }
  }
  /** Shows the features of the service: its routes that can be switched off (operator). */
  readonly listFeaturesOfOrder: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly features: readonly {
          readonly name: string
          readonly route: string
          readonly on: boolean
        }[]
      }
    }
  }
  /** Shows whether a feature is on (operator). */
  readonly showFeatureOfOrder: {
    readonly given: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly route: string
        readonly on: boolean
      }
    }
  }
  /** Switches a feature off, so that its requests are refused, or on again (operator). */
  readonly setFeatureOfOrder: {
    readonly given: {
      readonly params: {
        readonly name: string
      }
      readonly body: {
        readonly on: boolean
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly route: string
        readonly on: boolean
      }
    }
  }
  /** Does at once what the log parser would do for a saga (operator). */
  readonly retrySagaOfOrder: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly log_id: string
        readonly done: string
      }
    }
  }
  /** Shows the sagas that are unfinished (operator). */
  readonly listUnfinishedOfOrder: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly unfinished: readonly Saga[]
        readonly more: boolean
      }
    }
  }
  /** Makes a user without credit; for a customer, the one that it is, if it is not there yet (customer). */
  readonly createUser: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly user_id: string
        readonly log_id: string | null
      }
    }
  }
  /** Shows the credit of a user (customer). */
  readonly findUser: {
    readonly given: {
      readonly params: {
        readonly user: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly user_id: string
        readonly credit: number
      }
    }
  }
  /** Shows the credit of those of many users that there are (merchant). */
  readonly findUsers: {
    readonly given: {
      readonly query: {
        readonly ids: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly users: readonly {
          readonly user_id: string
          readonly credit: number
        }[]
      }
    }
  }
  /** Adds to the credit of a user (merchant). */
  readonly addFunds: {
    readonly given: {
      readonly params: {
        readonly user: string
        readonly amount: number
      }
    }
    readonly answers: {
      readonly 200: string
    }
  }
  /** Takes from the credit of a user, for no order (customer). */
  readonly pay: {
    readonly given: {
      readonly params: {
        readonly user: string
        readonly amount: number
      }
    }
    readonly answers: {
      readonly 200: string
    }
  }
  /** Shows by which methods an order may be paid, in how many instalments, and what it may cost then (anybody). */
  readonly listMethods: {
    readonly given: {}
    readonly answers: {
      readonly 200: readonly {
        readonly method: string
        readonly installments_max: number
        readonly min: number
        readonly max: number
        readonly installment_min: number
      }[]
    }
  }
  /** Shows what is due with each instalment, to the unit (anybody). */
  readonly showPlan: {
    readonly given: {
      readonly query: {
        readonly amount: number
        readonly method: 'credit_card' | 'debit_card' | 'transfer' | 'cash'
        readonly installments?: number | undefined
      }
    }
    readonly answers: {
      readonly 200: {
        readonly installments: readonly number[]
        readonly total: number
      }
    }
  }
  /** Makes the users 0 to n-1 anew (operator). */
  readonly initUsers: {
    readonly given: {
      readonly params: {
        readonly n: number
        readonly starting_money: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly msg: string
      }
    }
  }
  /** Lists invoices, the oldest first; those of an order with the draft, if it has one (customer). */
  readonly listInvoices: {
    readonly given: {
      readonly query?: {
        readonly order?: string | undefined
        readonly user?: string | undefined
        readonly limit?: number | undefined
        readonly after?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly documents: readonly ({
          readonly number: string
          readonly status: 'issued'
          readonly at: string
          readonly order_id: string
          readonly user_id: string
          readonly total: number
          readonly lines: readonly (readonly [string, number])[]
          readonly log_id: string
        } | {
          readonly number: null
          readonly status: 'draft' | 'void'
          readonly order_version: number
          readonly at: string
          readonly order_id: string
          readonly user_id: string
          readonly total: number
          readonly lines: readonly (readonly [string, number])[]
          readonly log_id: string
        })[]
        readonly next: string | null
      }
    }
  }
  /** Shows an invoice (customer). */
  readonly findInvoice: {
    readonly given: {
      readonly params: {
        readonly number: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly number: string
        readonly status: 'issued'
        readonly at: string
        readonly order_id: string
        readonly user_id: string
        readonly total: number
        readonly lines: readonly (readonly [string, number])[]
        readonly log_id: string
      }
    }
  }
  /** Lists credit notes, the oldest first (customer). */
  readonly listCreditNotes: {
    readonly given: {
      readonly query?: {
        readonly order?: string | undefined
        readonly user?: string | undefined
        readonly limit?: number | undefined
        readonly after?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly documents: readonly {
          readonly number: string
          readonly at: string
          readonly order_id: string
          readonly user_id: string
          readonly total: number
          readonly lines: readonly (readonly [string, number])[]
          readonly log_id: string
          readonly invoice: string | null
          readonly invoices: readonly string[]
        }[]
        readonly next: string | null
      }
    }
  }
  /** Shows a credit note, with the invoices that it takes back (customer). */
  readonly findCreditNote: {
    readonly given: {
      readonly params: {
        readonly number: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly number: string
        readonly at: string
        readonly order_id: string
        readonly user_id: string
        readonly total: number
        readonly lines: readonly (readonly [string, number])[]
        readonly log_id: string
        readonly invoice: string | null
        readonly invoices: readonly string[]
      }
    }
  }
  /** Lists the series of documents, and how many each has (operator). */
  readonly listSeries: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly series: readonly {
          readonly series: number
          readonly invoices: {
            readonly count: number
            readonly last: number
          }
          readonly credit_notes: {
            readonly count: number
            readonly last: number
          }
          readonly ended: {
            readonly at: string
            readonly why: string
            readonly told: readonly string[]
          } | null
        }[]
      }
    }
  }
  /** Begins the next series of documents, after a backup was put back (operator). */
  readonly beginSeries: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly series: number
      }
    }
  }
  /** Adds up all wallets, and holds the sum against the books (operator). */
  readonly auditOfPayment: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly at: string
        readonly added: string
        readonly wallets: string
        readonly documents?: {
          readonly invoiced: string
          readonly credited: string
          readonly undocumented: string
          readonly gaps: number
        } | undefined
        readonly charged: string
        readonly balanced: boolean
        readonly mismatches: readonly Mismatch[]
      }
    }
  }
  /** Shows what the books say now, and at which entries (operator). */
  readonly cutAuditOfPayment: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly at: string
        readonly heard: Readonly<Record<string, string>>
        readonly hears: Readonly<Record<string, readonly string[]>>
        readonly open?: readonly string[] | undefined
        readonly added: string
        readonly charged: string
      }
    }
  }
  /** Counts the entries of the log (operator). */
  readonly countEntriesOfPayment: {
    readonly given: {}
    readonly answers: {
      readonly 200: string
    }
  }
  /** Shows the entries of one log id (operator). */
  readonly findEntriesOfPayment: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly logs: readonly LogEntry[]
      }
    }
  }
  /** Shows a page of the log, behind the entry `after` (operator). */
  readonly listEntriesOfPayment: {
    readonly given: {
      readonly query?: {
        readonly after?: string | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly logs: readonly LogEntry[]
        readonly next: string | null
      }
    }
  }
  /** Shows the entries of the last minutes by their log ids (operator). */
  readonly listRecentEntriesOfPayment: {
    readonly given: {
      readonly params: {
        readonly minutes: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly logs: Readonly<Record<string, readonly LogEntry[]>>
        readonly next: string | null
      }
    }
  }
  /** Shows how one replica reads the logs of its peers, its last run of the log parser, and what its Redis holds (operator). */
  readonly showReadersOfPayment: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly service: string
        readonly replica: string
        readonly readers: readonly {
          readonly speaker: string
          readonly reads: boolean
          readonly cursor: string
          readonly newest: string | null
          readonly lag_ms: number | null
          readonly lag_entries: number | null
          readonly unreached_ms: number
        }[]
        readonly log: {
          readonly entries: number
          readonly newest: string
        }
        readonly parser: {
          readonly last_run: {
            readonly at: string
            readonly took_ms: number
            readonly found: number
            readonly repaired: number
            readonly trimmed: number
          } | null
          readonly next_run: string | null
        }
        readonly lost_tails: readonly {
          readonly speaker: string
          readonly noticed: string
          readonly after: string
          readonly until: string
          readonly named: number
        }[]
        readonly memory: {
          readonly used: number | null
          readonly limit: number | null
        }
      }
    }
  }
  /** Runs the log parser: repairs what is unfinished, and reports it (operator). */
  readonly parseLogOfPayment: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly service: string
        readonly found: readonly {
          readonly log_id: string
          readonly facts: Readonly<Record<string, string>>
          readonly repair: string
          readonly done: string
        }[]
        readonly lost_tails: readonly {
          readonly speaker: string
          readonly noticed: string
          readonly after: string
          readonly until: string
          readonly unnamed_until: string | null
          readonly entries: readonly LogEntry[]
        }[]
        readonly trimmed: number
        readonly dead_letters: number
        readonly contradictions: readonly string[]
      }
    }
  }
  /** Shows how a saga stands, and what the log parser will do for it (operator). */
  readonly showSagaOfPayment: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: Saga
    }
  }
  /** Shows a page of the entries that could not be applied, behind the one `after` (operator). */
  readonly listDeadLettersOfPayment: {
    readonly given: {
      readonly query?: {
        readonly after?: string | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly letters: readonly {
          readonly id: string
          readonly at: string
          readonly speaker: string
          readonly entry: string
          readonly error: string
          readonly fields: readonly string[]
          readonly applied: {
            readonly at: string
            readonly word: string
          } | null
          readonly dismissed: string | null
        }[]
        readonly next: string | null
      }
    }
  }
  /** Applies the entry of a dead letter, once (operator). */
  readonly retryDeadLetterOfPayment: {
    readonly given: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly word: string
        readonly repeated: boolean
      }
    }
  }
  /** Gives a dead letter up, whose entry is never to be applied (operator). */
  readonly dismissDeadLetterOfPayment: {
    readonly given: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly dismissed: string
        readonly repeated: boolean
      }
    }
  }
  /** Shows the features of the service: its routes that can be switched off (operator). */
  readonly listFeaturesOfPayment: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly features: readonly {
          readonly name: string
          readonly route: string
          readonly on: boolean
        }[]
      }
    }
  }
  /** Shows whether a feature is on (operator). */
  readonly showFeatureOfPayment: {
    readonly given: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly route: string
        readonly on: boolean
      }
    }
  }
  /** Switches a feature off, so that its requests are refused, or on again (operator). */
  readonly setFeatureOfPayment: {
    readonly given: {
      readonly params: {
        readonly name: string
      }
      readonly body: {
        readonly on: boolean
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly route: string
        readonly on: boolean
      }
    }
  }
  /** Does at once what the log parser would do for a saga (operator). */
  readonly retrySagaOfPayment: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly log_id: string
        readonly done: string
      }
    }
  }
  /** Shows the sagas that are unfinished (operator). */
  readonly listUnfinishedOfPayment: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly unfinished: readonly Saga[]
        readonly more: boolean
      }
    }
  }
  /** Shows what was last said of these sagas when the entry `at` was the newest (operator). */
  readonly sagasAtOfPayment: {
    readonly given: {
      readonly query: {
        readonly at: string
        readonly log_ids: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly sagas: readonly {
          readonly log_id: string
          readonly kind: string
          readonly facts: Readonly<Record<string, string>>
        }[]
      }
    }
  }
  /** Shows what is recorded of these sagas now, or of one page of all (operator). */
  readonly readRecordsOfPayment: {
    readonly given: {
      readonly query?: {
        readonly log_ids?: string | undefined
        readonly cursor?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly next?: string | undefined
        readonly records: readonly {
          readonly log_id: string
          readonly fields: Readonly<Record<string, string>>
        }[]
      }
    }
  }
  /** Shows which of these things there are not (operator). */
  readonly findAbsentOfPayment: {
    readonly given: {
      readonly query: {
        readonly ids: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly absent: readonly string[]
      }
    }
  }
  /** Makes an item of which there is none yet (merchant). */
  readonly createItem: {
    readonly given: {
      readonly params: {
        readonly price: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly item_id: string
        readonly log_id: string
      }
    }
  }
  /** Shows how many of an item there are, and what one costs (customer). */
  readonly findItem: {
    readonly given: {
      readonly params: {
        readonly item: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly stock: number
        readonly price: number
      }
    }
  }
  /** Shows on what terms an item is sold (customer). */
  readonly showItem: {
    readonly given: {
      readonly params: {
        readonly item: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly item_id: string
        readonly price: number
        readonly withdrawn: boolean
        readonly version: number
      }
    }
  }
  /** Shows on what terms those of many items are sold that there are (customer). */
  readonly showItems: {
    readonly given: {
      readonly query: {
        readonly ids: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly items: readonly {
          readonly item_id: string
          readonly price: number
          readonly withdrawn: boolean
          readonly version: number
        }[]
      }
    }
  }
  /** Changes the price of an item, or takes it out of the range and back into it (merchant). */
  readonly changeItem: {
    readonly given: {
      readonly params: {
        readonly item: string
      }
      readonly body: {
        readonly price?: number | undefined
        readonly withdrawn?: boolean | undefined
      }
    }
    readonly answers: {
      readonly 200: {
        readonly item_id: string
        readonly price: number
        readonly withdrawn: boolean
        readonly version: number
      }
    }
  }
  /** Puts more of an item on the shelf (merchant). */
  readonly addStock: {
    readonly given: {
      readonly params: {
        readonly item: string
        readonly amount: number
      }
    }
    readonly answers: {
      readonly 200: string
    }
  }
  /** Takes some of an item off the shelf (merchant). */
  readonly subtractStock: {
    readonly given: {
      readonly params: {
        readonly item: string
        readonly amount: number
      }
    }
    readonly answers: {
      readonly 200: string
    }
  }
  /** Makes the items 0 to n-1 anew (operator). */
  readonly initItems: {
    readonly given: {
      readonly params: {
        readonly n: number
        readonly starting_stock: number
        readonly item_price: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly msg: string
      }
    }
  }
  /** Adds up all shelves, and holds the sum against the books (operator). */
  readonly auditOfStock: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly at: string
        readonly added: string
        readonly shelf: string
        readonly taken: string
        readonly written_off?: string | undefined
        readonly balanced: boolean
        readonly mismatches: readonly Mismatch[]
      }
    }
  }
  /** Shows what the books say now, and at which entries (operator). */
  readonly cutAuditOfStock: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly at: string
        readonly heard: Readonly<Record<string, string>>
        readonly hears: Readonly<Record<string, readonly string[]>>
        readonly open?: readonly string[] | undefined
        readonly added: string
        readonly taken: string
        readonly written_off?: string | undefined
      }
    }
  }
  /** Counts the entries of the log (operator). */
  readonly countEntriesOfStock: {
    readonly given: {}
    readonly answers: {
      readonly 200: string
    }
  }
  /** Shows the entries of one log id (operator). */
  readonly findEntriesOfStock: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly logs: readonly LogEntry[]
      }
    }
  }
  /** Shows a page of the log, behind the entry `after` (operator). */
  readonly listEntriesOfStock: {
    readonly given: {
      readonly query?: {
        readonly after?: string | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly logs: readonly LogEntry[]
        readonly next: string | null
      }
    }
  }
  /** Shows the entries of the last minutes by their log ids (operator). */
  readonly listRecentEntriesOfStock: {
    readonly given: {
      readonly params: {
        readonly minutes: number
      }
    }
    readonly answers: {
      readonly 200: {
        readonly logs: Readonly<Record<string, readonly LogEntry[]>>
        readonly next: string | null
      }
    }
  }
  /** Shows how one replica reads the logs of its peers, its last run of the log parser, and what its Redis holds (operator). */
  readonly showReadersOfStock: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly service: string
        readonly replica: string
        readonly readers: readonly {
          readonly speaker: string
          readonly reads: boolean
          readonly cursor: string
          readonly newest: string | null
          readonly lag_ms: number | null
          readonly lag_entries: number | null
          readonly unreached_ms: number
        }[]
        readonly log: {
          readonly entries: number
          readonly newest: string
        }
        readonly parser: {
          readonly last_run: {
            readonly at: string
            readonly took_ms: number
            readonly found: number
            readonly repaired: number
            readonly trimmed: number
          } | null
          readonly next_run: string | null
        }
        readonly lost_tails: readonly {
          readonly speaker: string
          readonly noticed: string
          readonly after: string
          readonly until: string
          readonly named: number
        }[]
        readonly memory: {
          readonly used: number | null
          readonly limit: number | null
        }
      }
    }
  }
  /** Runs the log parser: repairs what is unfinished, and reports it (operator). */
  readonly parseLogOfStock: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly service: string
        readonly found: readonly {
          readonly log_id: string
          readonly facts: Readonly<Record<string, string>>
          readonly repair: string
          readonly done: string
        }[]
        readonly lost_tails: readonly {
          readonly speaker: string
          readonly noticed: string
          readonly after: string
          readonly until: string
          readonly unnamed_until: string | null
          readonly entries: readonly LogEntry[]
        }[]
        readonly trimmed: number
        readonly dead_letters: number
        readonly contradictions: readonly string[]
      }
    }
  }
  /** Shows how a saga stands, and what the log parser will do for it (operator). */
  readonly showSagaOfStock: {
    readonly given: {
      readonly params: {
        readonly log_id: string
      }
    }
    readonly answers: {
      readonly 200: Saga
    }
  }
  /** Shows a page of the entries that could not be applied, behind the one `after` (operator). */
  readonly listDeadLettersOfStock: {
    readonly given: {
      readonly query?: {
        readonly after?: string | undefined
        readonly limit?: number | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly letters: readonly {
          readonly id: string
          readonly at: string
          readonly speaker: string
          readonly entry: string
          readonly error: string
          readonly fields: readonly string[]
          readonly applied: {
            readonly at: string
            readonly word: string
          } | null
          readonly dismissed: string | null
        }[]
        readonly next: string | null
      }
    }
  }
  /** Applies the entry of a dead letter, once (operator). */
  readonly retryDeadLetterOfStock: {
    readonly given: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly word: string
        readonly repeated: boolean
      }
    }
  }
  /** Gives a dead letter up, whose entry is never to be applied (operator). */
  readonly dismissDeadLetterOfStock: {
    readonly given: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly id: string
        readonly dismissed: string
        readonly repeated: boolean
      }
    }
  }
  /** Shows the features of the service: its routes that can be switched off (operator). */
  readonly listFeaturesOfStock: {
    readonly given: {}
    readonly answers: {
      readonly 200: {
        readonly features: readonly {
          readonly name: string
          readonly route: string
          readonly on: boolean
        }[]
      }
    }
  }
  /** Shows whether a feature is on (operator). */
  readonly showFeatureOfStock: {
    readonly given: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly route: string
        readonly on: boolean
      }
    }
  }
  /** Switches a feature off, so that its requests are refused, or on again (operator). */
  readonly setFeatureOfStock: {
    readonly given: {
      readonly params: {
        readonly name: string
      }
      readonly body: {
        readonly on: boolean
      }
    }
    readonly answers: {
      readonly 200: {
        readonly name: string
        readonly route: string
        readonly on: boolean
      }
    }
  }
  /** Shows what was last said of these sagas when the entry `at` was the newest (operator). */
  readonly sagasAtOfStock: {
    readonly given: {
      readonly query: {
        readonly at: string
        readonly log_ids: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly sagas: readonly {
          readonly log_id: string
          readonly kind: string
          readonly facts: Readonly<Record<string, string>>
        }[]
      }
    }
  }
  /** Shows what is recorded of these sagas now, or of one page of all (operator). */
  readonly readRecordsOfStock: {
    readonly given: {
      readonly query?: {
        readonly log_ids?: string | undefined
        readonly cursor?: string | undefined
      } | undefined
    }
    readonly answers: {
      readonly 200: {
        readonly next?: string | undefined
        readonly records: readonly {
          readonly log_id: string
          readonly fields: Readonly<Record<string, string>>
        }[]
      }
    }
  }
  /** Shows which of these things there are not (operator). */
  readonly findAbsentOfStock: {
    readonly given: {
      readonly query: {
        readonly ids: string
      }
    }
    readonly answers: {
      readonly 200: {
        readonly absent: readonly string[]
      }
    }
  }
}

/**
 * How an operation is asked. Sent again it has one effect `as-it-is`, or `under-a-key`, or may have `another`.
 * `version` is the path of the thing whose version it changes: what was shown there has the ETag that a change is made from.
 * One that `shows` answers what it has changed, if the client prefers that.
 */
export type Asked = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly again: 'as-it-is' | 'under-a-key' | 'another'
  readonly version?: string
  readonly shows?: true
}

export const OPERATIONS: { readonly [Name in keyof Operations]: Asked } = {
  createId: { method: 'GET', path: '/ids/create', again: 'as-it-is' },
  acquireLease: { method: 'PUT', path: '/locks/{lock}/leases/{lease}', again: 'as-it-is' },
  requestLease: { method: 'POST', path: '/locks/{lock}/leases', again: 'under-a-key' },
  askLease: { method: 'GET', path: '/locks/{lock}/leases/{lease}', again: 'as-it-is' },
  renewLease: { method: 'PATCH', path: '/locks/{lock}/leases/{lease}', again: 'as-it-is' },
  releaseLease: { method: 'DELETE', path: '/locks/{lock}/leases/{lease}', again: 'as-it-is' },
  showLock: { method: 'GET', path: '/locks/{lock}', again: 'as-it-is' },
  configureLock: { method: 'PUT', path: '/locks/{lock}', again: 'as-it-is' },
  forceLock: { method: 'DELETE', path: '/locks/{lock}', again: 'under-a-key' },
  listLocks: { method: 'GET', path: '/locks', again: 'as-it-is' },
  checkToken: { method: 'GET', path: '/locks/{lock}/tokens/{token}', again: 'as-it-is' },
  showLocksStatus: { method: 'GET', path: '/locks/-/status', again: 'as-it-is' },
  checkLocksHealth: { method: 'GET', path: '/locks/-/health', again: 'as-it-is' },
  stand: { method: 'PUT', path: '/elections/{election}/candidates/{candidate}', again: 'as-it-is' },
  askCandidate: { method: 'GET', path: '/elections/{election}/candidates/{candidate}', again: 'as-it-is' },
  renewCandidate: { method: 'PATCH', path: '/elections/{election}/candidates/{candidate}', again: 'as-it-is' },
  resign: { method: 'DELETE', path: '/elections/{election}/candidates/{candidate}', again: 'as-it-is' },
  showElection: { method: 'GET', path: '/elections/{election}', again: 'as-it-is' },
  beginRun: { method: 'PUT', path: '/jobs/{job}/runs/{slot}/by/{runner}', again: 'as-it-is' },
  changeRun: { method: 'PATCH', path: '/jobs/{job}/runs/{slot}/by/{runner}', again: 'as-it-is' },
  showJob: { method: 'GET', path: '/jobs/{job}', again: 'as-it-is' },
  lock: { method: 'POST', path: '/lock', again: 'under-a-key' },
  unlock: { method: 'POST', path: '/unlock', again: 'under-a-key' },
  makeDistributedLock: { method: 'POST', path: '/v1/distributed_lock/{lock}', again: 'another' },
  showDistributedLock: { method: 'GET', path: '/v1/distributed_lock/{lock}', again: 'as-it-is' },
  holdDistributedLock: { method: 'PUT', path: '/v1/distributed_lock/{lock}/{kind}/{process}', again: 'another' },
  refreshDistributedLock: { method: 'PUT', path: '/v1/distributed_lock/{lock}/{kind}/{process}/refresh', again: 'another' },
  releaseDistributedLock: { method: 'DELETE', path: '/v1/distributed_lock/{lock}/{kind}/{process}', again: 'as-it-is' },
  countEntriesOfIds: { method: 'GET', path: '/ids/log_count', again: 'as-it-is' },
  findEntriesOfIds: { method: 'GET', path: '/ids/log/{log_id}', again: 'as-it-is' },
  listEntriesOfIds: { method: 'GET', path: '/ids/logs', again: 'as-it-is' },
  listRecentEntriesOfIds: { method: 'GET', path: '/ids/sorted_logs/{minutes}', again: 'as-it-is' },
  showReadersOfIds: { method: 'GET', path: '/ids/readers', again: 'as-it-is' },
  parseLogOfIds: { method: 'POST', path: '/ids/fault_tolerance', again: 'as-it-is' },
  showSagaOfIds: { method: 'GET', path: '/ids/saga/{log_id}', again: 'as-it-is' },
  listDeadLettersOfIds: { method: 'GET', path: '/ids/dead_letters', again: 'as-it-is' },
  retryDeadLetterOfIds: { method: 'POST', path: '/ids/retry_dead_letter/{id}', again: 'as-it-is' },
  dismissDeadLetterOfIds: { method: 'POST', path: '/ids/dismiss_dead_letter/{id}', again: 'as-it-is' },
  listFeaturesOfIds: { method: 'GET', path: '/ids/features', again: 'as-it-is' },
  showFeatureOfIds: { method: 'GET', path: '/ids/features/{name}', again: 'as-it-is' },
  setFeatureOfIds: { method: 'PUT', path: '/ids/features/{name}', again: 'as-it-is' },
  createOrder: { method: 'POST', path: '/orders/create/{user}', again: 'under-a-key' },
  findOrder: { method: 'GET', path: '/orders/find/{order}', again: 'as-it-is' },
  showOrder: { method: 'GET', path: '/orders/{order}', again: 'as-it-is' },
  placeOrder: { method: 'POST', path: '/orders', again: 'under-a-key' },
  listOrders: { method: 'GET', path: '/orders', again: 'as-it-is' },
  addItem: { method: 'POST', path: '/orders/addItem/{order}/{item}/{quantity}', again: 'under-a-key' },
  checkout: { method: 'POST', path: '/orders/checkout/{order}', again: 'as-it-is' },
  showCheckout: { method: 'GET', path: '/orders/checkout/{order}', again: 'as-it-is' },
  listCheckouts: { method: 'GET', path: '/orders/checkouts/{order}', again: 'as-it-is' },
  cancelCheckout: { method: 'POST', path: '/orders/cancel/{log_id}', again: 'under-a-key' },
  listContradictions: { method: 'GET', path: '/orders/contradictions', again: 'as-it-is' },
  resolveContradiction: { method: 'POST', path: '/orders/resolve/{log_id}/{by}', again: 'under-a-key' },
  initOrders: { method: 'POST', path: '/orders/batch_init/{n}/{n_items}/{n_users}/{item_price}', again: 'under-a-key' },
  auditOfOrder: { method: 'GET', path: '/audit', again: 'as-it-is' },
  cancelOrder: { method: 'POST', path: '/orders/{order}/cancel', again: 'as-it-is', version: '/orders/{order}' },
  deleteOrder: { method: 'DELETE', path: '/orders/{order}', again: 'as-it-is', version: '/orders/{order}' },
  changeOrder: { method: 'PATCH', path: '/orders/{order}', again: 'under-a-key', version: '/orders/{order}', shows: true },
  refundOrder: { method: 'POST', path: '/orders/{order}/refunds', again: 'under-a-key', version: '/orders/{order}' },
  listRefunds: { method: 'GET', path: '/orders/{order}/refunds', again: 'as-it-is' },
  showRefund: { method: 'GET', path: '/orders/{order}/refunds/{refund}', again: 'as-it-is' },
  createWebhook: { method: 'POST', path: '/orders/webhooks', again: 'under-a-key' },
  listWebhooks: { method: 'GET', path: '/orders/webhooks', again: 'as-it-is' },
  showWebhook: { method: 'GET', path: '/orders/webhooks/{webhook}', again: 'as-it-is' },
  changeWebhook: { method: 'PATCH', path: '/orders/webhooks/{webhook}', again: 'as-it-is' },
  rotateWebhookSecret: { method: 'POST', path: '/orders/webhooks/{webhook}/secret', again: 'under-a-key' },
  deleteWebhook: { method: 'DELETE', path: '/orders/webhooks/{webhook}', again: 'as-it-is' },
  listDeliveries: { method: 'GET', path: '/orders/webhooks/{webhook}/deliveries', again: 'as-it-is' },
  testWebhook: { method: 'POST', path: '/orders/webhooks/{webhook}/test', again: 'as-it-is' },
  placeFormOrder: { method: 'POST', path: '/api/orders', again: 'under-a-key' },
  showFormOrder: { method: 'GET', path: '/api/order/{order}', again: 'as-it-is' },
  listFormOrders: { method: 'GET', path: '/api/orders/{user}', again: 'as-it-is' },
  listOffers: { method: 'GET', path: '/api/methods', again: 'as-it-is' },
  countEntriesOfOrder: { method: 'GET', path: '/orders/log_count', again: 'as-it-is' },
  findEntriesOfOrder: { method: 'GET', path: '/orders/log/{log_id}', again: 'as-it-is' },
  listEntriesOfOrder: { method: 'GET', path: '/orders/logs', again: 'as-it-is' },
  listRecentEntriesOfOrder: { method: 'GET', path: '/orders/sorted_logs/{minutes}', again: 'as-it-is' },
  showReadersOfOrder: { method: 'GET', path: '/orders/readers', again: 'as-it-is' },
  parseLogOfOrder: { method: 'POST', path: '/orders/fault_tolerance', again: 'as-it-is' },
  showSagaOfOrder: { method: 'GET', path: '/orders/saga/{log_id}', again: 'as-it-is' },
  listDeadLettersOfOrder: { method: 'GET', path: '/orders/dead_letters', again: 'as-it-is' },
  retryDeadLetterOfOrder: { method: 'POST', path: '/orders/retry_dead_letter/{id}', again: 'as-it-is' },
  dismissDeadLetterOfOrder: { method: 'POST', path: '/orders/dismiss_dead_letter/{id}', again: 'as-it-is' },
  listFeaturesOfOrder: { method: 'GET', path: '/orders/features', again: 'as-it-is' },
  showFeatureOfOrder: { method: 'GET', path: '/orders/features/{name}', again: 'as-it-is' },
  setFeatureOfOrder: { method: 'PUT', path: '/orders/features/{name}', again: 'as-it-is' },
  retrySagaOfOrder: { method: 'POST', path: '/orders/retry/{log_id}', again: 'as-it-is' },
  listUnfinishedOfOrder: { method: 'GET', path: '/orders/unfinished', again: 'as-it-is' },
  createUser: { method: 'POST', path: '/payment/create_user', again: 'under-a-key' },
  findUser: { method: 'GET', path: '/payment/find_user/{user}', again: 'as-it-is' },
  findUsers: { method: 'GET', path: '/payment/users', again: 'as-it-is' },
  addFunds: { method: 'POST', path: '/payment/add_funds/{user}/{amount}', again: 'under-a-key' },
  pay: { method: 'POST', path: '/payment/pay/{user}/{amount}', again: 'under-a-key' },
  listMethods: { method: 'GET', path: '/payment/methods', again: 'as-it-is' },
  showPlan: { method: 'GET', path: '/payment/plan', again: 'as-it-is' },
  initUsers: { method: 'POST', path: '/payment/batch_init/{n}/{starting_money}', again: 'under-a-key' },
  listInvoices: { method: 'GET', path: '/payment/invoices', again: 'as-it-is' },
  findInvoice: { method: 'GET', path: '/payment/invoices/{number}', again: 'as-it-is' },
  listCreditNotes: { method: 'GET', path: '/payment/credit-notes', again: 'as-it-is' },
  findCreditNote: { method: 'GET', path: '/payment/credit-notes/{number}', again: 'as-it-is' },
  listSeries: { method: 'GET', path: '/payment/series', again: 'as-it-is' },
  beginSeries: { method: 'POST', path: '/payment/series', again: 'under-a-key' },
  auditOfPayment: { method: 'GET', path: '/payment/audit', again: 'as-it-is' },
  cutAuditOfPayment: { method: 'GET', path: '/payment/audit/cut', again: 'as-it-is' },
  countEntriesOfPayment: { method: 'GET', path: '/payment/log_count', again: 'as-it-is' },
  findEntriesOfPayment: { method: 'GET', path: '/payment/log/{log_id}', again: 'as-it-is' },
  listEntriesOfPayment: { method: 'GET', path: '/payment/logs', again: 'as-it-is' },
  listRecentEntriesOfPayment: { method: 'GET', path: '/payment/sorted_logs/{minutes}', again: 'as-it-is' },
  showReadersOfPayment: { method: 'GET', path: '/payment/readers', again: 'as-it-is' },
  parseLogOfPayment: { method: 'POST', path: '/payment/fault_tolerance', again: 'as-it-is' },
  showSagaOfPayment: { method: 'GET', path: '/payment/saga/{log_id}', again: 'as-it-is' },
  listDeadLettersOfPayment: { method: 'GET', path: '/payment/dead_letters', again: 'as-it-is' },
  retryDeadLetterOfPayment: { method: 'POST', path: '/payment/retry_dead_letter/{id}', again: 'as-it-is' },
  dismissDeadLetterOfPayment: { method: 'POST', path: '/payment/dismiss_dead_letter/{id}', again: 'as-it-is' },
  listFeaturesOfPayment: { method: 'GET', path: '/payment/features', again: 'as-it-is' },
  showFeatureOfPayment: { method: 'GET', path: '/payment/features/{name}', again: 'as-it-is' },
  setFeatureOfPayment: { method: 'PUT', path: '/payment/features/{name}', again: 'as-it-is' },
  retrySagaOfPayment: { method: 'POST', path: '/payment/retry/{log_id}', again: 'as-it-is' },
  listUnfinishedOfPayment: { method: 'GET', path: '/payment/unfinished', again: 'as-it-is' },
  sagasAtOfPayment: { method: 'GET', path: '/payment/audit/sagas', again: 'as-it-is' },
  readRecordsOfPayment: { method: 'GET', path: '/payment/audit/records', again: 'as-it-is' },
  findAbsentOfPayment: { method: 'GET', path: '/payment/audit/absent', again: 'as-it-is' },
  createItem: { method: 'POST', path: '/stock/item/create/{price}', again: 'under-a-key' },
  findItem: { method: 'GET', path: '/stock/find/{item}', again: 'as-it-is' },
  showItem: { method: 'GET', path: '/stock/item/{item}', again: 'as-it-is' },
  showItems: { method: 'GET', path: '/stock/items', again: 'as-it-is' },
  changeItem: { method: 'PATCH', path: '/stock/item/{item}', again: 'under-a-key', version: '/stock/item/{item}', shows: true },
  addStock: { method: 'POST', path: '/stock/add/{item}/{amount}', again: 'under-a-key' },
  subtractStock: { method: 'POST', path: '/stock/subtract/{item}/{amount}', again: 'under-a-key' },
  initItems: { method: 'POST', path: '/stock/batch_init/{n}/{starting_stock}/{item_price}', again: 'under-a-key' },
  auditOfStock: { method: 'GET', path: '/stock/audit', again: 'as-it-is' },
  cutAuditOfStock: { method: 'GET', path: '/stock/audit/cut', again: 'as-it-is' },
  countEntriesOfStock: { method: 'GET', path: '/stock/log_count', again: 'as-it-is' },
  findEntriesOfStock: { method: 'GET', path: '/stock/log/{log_id}', again: 'as-it-is' },
  listEntriesOfStock: { method: 'GET', path: '/stock/logs', again: 'as-it-is' },
  listRecentEntriesOfStock: { method: 'GET', path: '/stock/sorted_logs/{minutes}', again: 'as-it-is' },
  showReadersOfStock: { method: 'GET', path: '/stock/readers', again: 'as-it-is' },
  parseLogOfStock: { method: 'POST', path: '/stock/fault_tolerance', again: 'as-it-is' },
  showSagaOfStock: { method: 'GET', path: '/stock/saga/{log_id}', again: 'as-it-is' },
  listDeadLettersOfStock: { method: 'GET', path: '/stock/dead_letters', again: 'as-it-is' },
  retryDeadLetterOfStock: { method: 'POST', path: '/stock/retry_dead_letter/{id}', again: 'as-it-is' },
  dismissDeadLetterOfStock: { method: 'POST', path: '/stock/dismiss_dead_letter/{id}', again: 'as-it-is' },
  listFeaturesOfStock: { method: 'GET', path: '/stock/features', again: 'as-it-is' },
  showFeatureOfStock: { method: 'GET', path: '/stock/features/{name}', again: 'as-it-is' },
  setFeatureOfStock: { method: 'PUT', path: '/stock/features/{name}', again: 'as-it-is' },
  sagasAtOfStock: { method: 'GET', path: '/stock/audit/sagas', again: 'as-it-is' },
  readRecordsOfStock: { method: 'GET', path: '/stock/audit/records', again: 'as-it-is' },
  findAbsentOfStock: { method: 'GET', path: '/stock/audit/absent', again: 'as-it-is' },
}
