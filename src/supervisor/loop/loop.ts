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
import {type ContainerAddress, toSource} from '../../../machines/ledger/ids.ts'
import {applyEvent, type Ledger} from '../../../machines/ledger/ledger.ts'
import type {Journal} from '../../journal/journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import {fromFailure, TallyError, toErrorBody} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import type {RunEffect} from '../effects/effect-call.ts'
import {createPendingRequests, type Answer, type Question} from './pending-requests.ts'
import type {Inbox, Observe} from './inbox.ts'
import {type Origin, toObservedOrigin, toOrigin} from './origin.ts'
import {illegal, toRejection} from './rejections.ts'

export interface LoopDependencies {
  readonly journal: Journal
  readonly clock: Clock
  /** By which deadlines are kept beyond the death of a supervisor. */
  readonly bootNow?: () => BootInstant
  readonly logger: Logger
  readonly runEffect: RunEffect
  /** What is seen is put there, from before there is a loop. */
  readonly inbox: Inbox
  /** Called for every event after it is journaled and folded. */
  readonly onEvent: (event: LedgerEvent) => void
}

export interface LoopOptions {
  readonly address: ContainerAddress
  readonly uid: string
  /** Folded from the journal. */
  readonly ledger: Ledger
}

export interface Loop {
  readonly ledger: Ledger
  /**
   * Submits a wish. Resolves with the ledger once the outcome is durable. One that is asked again is not carried out twice.
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
  /** Runs effects that a former supervisor may have left undone. */
  resume(effects: readonly Effect[]): void
}

type Item =
  | ({
      readonly type: 'command'
      readonly command: Command
      readonly origin: Origin
    } & Answer)
  | {
      readonly type: 'observation'
      readonly draft: Draft
      readonly origin: Origin
      readonly resolve: (event: LedgerEvent | undefined) => void
    }

/** How long an observation waits for a journal that cannot be written before it tries again. */
const retryMs = 250
/** And for how long who asked for what it is the outcome of waits with it. */
const untoldPatienceMs = 5_000

/** Made durable against a crash of the host; the rest need not be, since that ends the containers anyway. */
const syncedEvents: ReadonlySet<LedgerEvent['type']> = new Set(['container.create-requested', 'container.exited', 'container.deleted'])

export function createLoop(
  {journal, clock, bootNow, logger, runEffect, inbox, onEvent}: LoopDependencies,
  {address, uid, ledger: folded}: LoopOptions,
): Loop {
  const requests = createPendingRequests({journal, durable: () => durable})
  let ledger = folded
  for (const event of journal.read()) requests.note(event)
  let mailbox: readonly Item[] = []
  let draining = false
  let retry: Disposable | undefined
  /** Since when the journal has not taken an observation. */
  const refusedAt = new WeakMap<Item, number>()
  let durable: Promise<void> = Promise.resolve()

  const loop: Loop = {
    get ledger() {
      return ledger
    },
    submit: (command, origin) => new Promise((resolve, reject) => deliver({type: 'command', command, origin, resolve, reject})),
    // To whose request an exit belongs is judged as it is seen, not when it can be journaled.
    observe: (draft, origin = toObservedOrigin(draft, ledger, uid)) =>
      new Promise((resolve) => deliver({type: 'observation', draft, origin, resolve})),
    waitForExit: (exec, patienceMs) =>
      new Promise((resolve, reject) => {
        const process = exec === undefined ? ledger.snapshot : ledger.processes.get(exec)
        if (!process) reject(new TallyError('EXEC_NOT_FOUND', `no process ${exec} was added to this container`, {details: {exec}}))
        else if (process.context.exited) resolve(ledger)
        else wait(exec, {resolve, reject}, patienceMs)
      }),
    resume: (effects) => {
      if (ledger.latest) for (const effect of effects) start(effect, ledger.latest)
    },
  }
  inbox.connect(loop.observe)
  return loop

  function wait(exec: string | undefined, answer: Answer, patienceMs: number | undefined): void {
    const question = {command: 'wait', exec, name: undefined} as const
    if (patienceMs === undefined) return void requests.add(question, undefined, answer)
    const timer = clock.at(clock.elapsed() + patienceMs, () => {
      giveUp()
      answer.reject(new TallyError('TIMED_OUT', `it has not exited within ${patienceMs} ms`, {details: {timeoutMs: patienceMs}}))
    })
    const giveUp = requests.add(question, undefined, {
      resolve: (now) => {
        timer[Symbol.dispose]()
        answer.resolve(now)
      },
      reject: (error) => {
        timer[Symbol.dispose]()
        answer.reject(error)
      },
    })
  }

  function deliver(item: Item): void {
    const waits = item.type === 'command' && item.origin.isAgain === true && mailbox.some((other) => isSame(other, item))
    mailbox = waits ? mailbox.map((other) => (isSame(other, item) ? answerBoth(other, item) : other)) : [...mailbox, item]
    drain()
  }

  /** Takes whatever can be taken, in order of arrival, until nothing more can. */
  function drain(): void {
    if (draining) return
    draining = true
    try {
      for (let index = 0; index < mailbox.length; ) {
        const item = mailbox[index]
        if (item && take(item)) {
          mailbox = mailbox.filter((other) => other !== item)
          index = 0
        } else index += 1
      }
    } finally {
      draining = false
    }
  }

  /** Whether the item is done with; false leaves it in the mailbox. */
  function take(item: Item): boolean {
    return item.type === 'command' ? takeCommand(item) : takeObservation(item)
  }

  function takeCommand(item: Extract<Item, {type: 'command'}>): boolean {
    const {command, origin, resolve, reject} = item
    if (origin.isAgain && requests.addAgain(toQuestion(item), item, ledger)) return true
    const decision = decide(ledger, command, clock.now(), bootNow?.())
    switch (decision.type) {
      case 'defer':
        return false
      case 'satisfied':
        resolve(ledger)
        return true
      case 'join':
        requests.add(toQuestion(item), undefined, item)
        return true
      case 'reject':
        reject(illegal(command.type, decision))
        return true
      case 'reject-ended':
      case 'reject-exec':
        reject(toRejection(command.type, decision))
        return true
      case 'accept':
        try {
          commit(decision.draft, origin, ({uid, sequence}) => requests.add(toQuestion(item), `${uid}:${sequence}`, item))
        } catch (error) {
          reject(asTallyError(error))
        }
        return true
    }
  }

  function takeObservation(item: Extract<Item, {type: 'observation'}>): boolean {
    const {draft, origin, resolve} = item
    if (!isPossible(ledger, draft)) {
      if (isAwaited(ledger, draft)) return false
      logger.debug({event: draft.type}, 'an observation came too late')
      resolve(undefined)
      return true
    }
    try {
      resolve(commit(draft, origin))
      return true
    } catch (error) {
      logger.error({err: error, event: draft.type}, 'cannot journal; trying again')
      if (!refusedAt.has(item)) refusedAt.set(item, clock.now())
      const isLate = clock.now() - (refusedAt.get(item) ?? 0) >= untoldPatienceMs
      if (isLate && origin.causationId !== undefined) requests.disappoint(origin.causationId, toUntold(error))
      retryLater()
      return false
    }
  }

  function retryLater(): void {
    if (retry) return
    retry = clock.at(clock.elapsed() + retryMs, () => {
      retry = undefined
      drain()
    })
  }

  /** Journals, folds, tells, and only then starts the effects. */
  function commit(draft: Draft, origin: Origin, onIntent?: (event: LedgerEvent) => void): LedgerEvent {
    const event: LedgerEvent = {
      ...draft,
      time: new Date(clock.now()).toISOString(),
      sequence: (ledger.latest?.sequence ?? 0) + 1,
      uid,
      source: toSource(address),
      actor: origin.actor,
      correlationId: origin.correlationId,
      causationId: origin.causationId,
    }
    const next = applyEvent(ledger, event)
    journal.append(event)
    ledger = next.ledger
    requests.note(event)
    if (syncedEvents.has(event.type))
      durable = durable.then(() => journal.sync()).catch((error: unknown) => logger.error({err: error}, 'fdatasync failed'))
    onIntent?.(event)
    onEvent(event)
    requests.settle(event, ledger)
    for (const effect of next.effects) start(effect, event)
    return event
  }

  /** An outcome follows from the event that asked for the effect, and belongs to the same request. */
  function start(effect: Effect, cause: LedgerEvent): void {
    const origin = toOrigin(cause)
    const call = {
      cause,
      ledger: () => ledger,
      observe: (draft: Draft) => loop.observe(draft, origin),
      request: (command: Command) => loop.submit(command, origin),
      waitForExit: () => loop.waitForExit(),
    }
    runEffect(effect, call).then(
      (draft) => draft && deliver({type: 'observation', draft, origin, resolve: () => {}}),
      (error: unknown) => logger.fatal({err: error, effect: effect.type}, 'an effect rejected'),
    )
  }
}

function toQuestion({command, origin}: CommandItem): Question {
  return {command: command.type, exec: toExecId(command), name: origin}
}

type CommandItem = Extract<Item, {readonly type: 'command'}>

/** Whether it waits already. */
function isSame(waiting: Item, again: Item): waiting is CommandItem {
  if (waiting.type !== 'command' || again.type !== 'command') return false
  const [one, other] = [waiting, again].map(({command, origin: {actor, correlationId}}) => [command.type, actor, correlationId].join(' '))
  return one === other
}

function answerBoth(waiting: CommandItem, again: Item): CommandItem {
  if (again.type !== 'command') return waiting
  return {
    ...waiting,
    resolve: (ledger) => {
      waiting.resolve(ledger)
      again.resolve(ledger)
    },
    reject: (error) => {
      waiting.reject(error)
      again.reject(error)
    },
  }
}

function toExecId(command: Command): string | undefined {
  return 'exec' in command ? command.exec : undefined
}

/** Nobody waits for a disk. */
function toUntold(error: unknown): TallyError {
  const {code, message, details} = asTallyError(error)
  return new TallyError(code, `${message}; it is carried out, and what came of it will be written when that can be`, {
    details,
    cause: error,
  })
}

function asTallyError(error: unknown): TallyError {
  return error instanceof TallyError ? error : fromFailure(toErrorBody(error))
}
