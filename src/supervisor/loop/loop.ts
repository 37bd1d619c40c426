/**
 * The loop: mailbox → decide → journal → fold → effects, one item at a time, on one thread.
 *
 * MUST hold: an effect runs only after the event that asked for it is journaled; achieved by `commit` being synchronous
 * up to and including the append. Observations that the chart cannot take yet (an exit while start is in flight) wait in
 * the mailbox; commands wait while anything is in flight.
 */
import type {BootInstant} from '../../../machines/ledger/boot-instant.ts'
import type {Command} from '../../../machines/commands/commands.ts'
import {decide, isAwaited, isPossible} from '../../../machines/commands/decide.ts'
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {Effect} from '../../../machines/charts/effects.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {Journal} from '../../journal/journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import type {EffectCall, RunEffect} from '../effects/effect-call.ts'
import type {Ticket} from '../../requests/request-register.ts'
import {type CommitterOptions, createCommitter} from './committer.ts'
import {waitForExit} from './exit-waits.ts'
import type {Inbox, Observe} from './inbox.ts'
import {createMailbox} from './mailbox.ts'
import {type Origin, toObservedOrigin, toOrigin} from './origin.ts'
import {createPendingRequests, toQuestion} from './pending-requests.ts'
import {illegal, toRejection, toTallyError, toUnwritten} from './rejections.ts'
import {createRetryTimer} from './retry-timer.ts'

export interface LoopDependencies {
  readonly journal: Journal
  readonly clock: Clock
  /** By which deadlines are kept beyond the death of a supervisor. */
  readonly bootNow?: () => BootInstant
  readonly logger: Logger
  readonly runEffect: RunEffect
  /** Observers put there what they have seen, from before there is a loop. */
  readonly inbox: Inbox
  /** Called for every event after it is journaled and folded. */
  readonly onEvent: (event: LedgerEvent) => void
}

export interface Loop {
  readonly ledger: Ledger
  /**
   * Submits a command. Resolves with the ledger once the outcome is durable. A retry is not carried out a second time.
   * @throws TallyError ILLEGAL_COMMAND, JOURNAL_WRITE_FAILED, or that of a failure event.
   */
  submit(command: Command, origin: Origin): Promise<Ledger>
  /** As that of the inbox. */
  readonly observe: Observe
  /**
   * Resolves once init, or an added process, has exited, at once if it had.
   * @param patienceMs no end when absent
   * @throws TallyError EXEC_NOT_FOUND, TIMED_OUT
   */
  waitForExit(exec?: string, patienceMs?: number): Promise<Ledger>
  /** How many commands and observations wait for their turn, or for a journal that can be written. */
  readonly waiting: number
  /** Runs effects that a former supervisor may have left undone. */
  resume(effects: readonly Effect[]): void
}

type Item = CommandItem | ObservationItem

interface CommandItem {
  readonly type: 'command'
  readonly command: Command
  readonly origin: Origin
  readonly ticket: Ticket
}

interface ObservationItem {
  readonly type: 'observation'
  readonly draft: Draft
  readonly origin: Origin
  readonly writing: {readonly type: 'not tried'} | {readonly type: 'refused'; readonly sinceMs: number}
  readonly resolve: (event: LedgerEvent | undefined) => void
}

/** How long an observation waits for a journal that cannot be written before it tries again. */
const retryMs = 250
/** For how long a request waits for an outcome that cannot be written. */
const unwrittenPatienceMs = 5_000

export function createLoop(dependencies: LoopDependencies, options: CommitterOptions): Loop {
  const {journal, clock, bootNow, logger, runEffect, inbox, onEvent} = dependencies
  const requests = createPendingRequests({journal, durable: () => committer.durable()})
  const mailbox = createMailbox<Item>((item) => (item.type === 'command' ? takeCommand(item) : takeObservation(item)))
  const retryLater = createRetryTimer(clock, retryMs, mailbox.drain)
  const committer = createCommitter(
    {
      journal,
      clock,
      logger,
      onCommitted: (event, ledger) => {
        onEvent(event)
        requests.settle(event, ledger)
      },
      begin,
    },
    options,
  )
  for (const event of journal.read()) requests.recall(event)

  const loop: Loop = {
    get ledger() {
      return committer.ledger
    },
    get waiting() {
      return mailbox.size
    },
    submit: (command, origin) =>
      new Promise((resolve, reject) => {
        const question = toQuestion(command)
        if (origin.isRetry && requests.retry(question, origin, {resolve, reject}, committer.ledger)) return
        mailbox.deliver({type: 'command', command, origin, ticket: requests.queue(question, origin, {resolve, reject})})
      }),
    // Which request an exit belongs to is judged when it is observed, not when it can be journaled.
    observe: (draft, origin = toObservedOrigin(draft, committer.ledger, options.uid)) =>
      new Promise((resolve) => mailbox.deliver({type: 'observation', draft, origin, writing: {type: 'not tried'}, resolve})),
    waitForExit: (exec, patienceMs) => waitForExit({requests, clock, ledger: () => committer.ledger}, {exec, patienceMs}),
    resume: (effects) => {
      const {latest} = committer.ledger
      if (latest) for (const effect of effects) begin(effect, latest)
    },
  }
  inbox.connect(loop.observe)
  return loop

  function takeCommand(item: CommandItem): CommandItem | undefined {
    const {command, origin, ticket} = item
    const decision = decide(committer.ledger, command, clock.now(), bootNow?.())
    switch (decision.type) {
      case 'defer':
        return item
      case 'satisfied':
        for (const {resolve} of requests.withdraw(ticket)) resolve(committer.ledger)
        return undefined
      case 'join':
        requests.join(ticket)
        return undefined
      case 'reject':
        return refuse(ticket, illegal(command.type, decision))
      case 'reject-ended':
      case 'reject-exec':
        return refuse(ticket, toRejection(command.type, decision))
      case 'accept':
        try {
          committer.commit(decision.draft, origin, (event) => requests.accept(ticket, event))
          return undefined
        } catch (error) {
          return refuse(ticket, toTallyError(error))
        }
    }
  }

  function refuse(ticket: Ticket, error: TallyError): undefined {
    for (const {reject} of requests.withdraw(ticket)) reject(error)
  }

  function takeObservation(item: ObservationItem): ObservationItem | undefined {
    const {draft, origin, resolve} = item
    if (!isPossible(committer.ledger, draft)) {
      if (isAwaited(committer.ledger, draft)) return item
      logger.debug({event: draft.type}, 'an observation came too late')
      resolve(undefined)
      return undefined
    }
    try {
      resolve(committer.commit(draft, origin))
      return undefined
    } catch (error) {
      return holdUnwritten(item, error)
    }
  }

  /** What has happened is written when the journal takes it again; those who wait for it do not wait that long. */
  function holdUnwritten(item: ObservationItem, error: unknown): ObservationItem {
    const {draft, origin, writing} = item
    logger.error({err: error, event: draft.type}, 'cannot journal; trying again')
    const sinceMs = writing.type === 'refused' ? writing.sinceMs : clock.elapsed()
    const isLate = clock.elapsed() - sinceMs >= unwrittenPatienceMs
    if (isLate && origin.causationId !== undefined) requests.disappoint(origin.causationId, toUnwritten(error))
    retryLater()
    return {...item, writing: {type: 'refused', sinceMs}}
  }

  /** An outcome follows from the event that asked for the effect, and belongs to the same request. */
  function begin(effect: Effect, cause: LedgerEvent): void {
    const origin = toOrigin(cause)
    const call: EffectCall = {
      cause,
      ledger: () => committer.ledger,
      observe: (draft) => loop.observe(draft, origin),
      request: (command) => loop.submit(command, origin),
      waitForExit: () => loop.waitForExit(),
    }
    runEffect(effect, call).then(
      (draft) => draft && loop.observe(draft, origin),
      (error: unknown) => logger.fatal({err: error, effect: effect.type}, 'an effect rejected'),
    )
  }
}
