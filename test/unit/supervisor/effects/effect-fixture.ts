/** What a handler is called with, in a test: what it observes and asks for is recorded. */
import type {Command} from '../../../../machines/commands/commands.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {Ledger} from '../../../../machines/ledger/ledger.ts'
import type {EffectCall} from '../../../../src/supervisor/effects/effect-call.ts'

export interface RecordedCall extends EffectCall {
  readonly observed: readonly Draft[]
  readonly requested: readonly Command[]
}

/** @param answer to each request; by default it is done */
export function makeCall(ledger: Ledger, answer: (command: Command, count: number) => Promise<Ledger> = async () => ledger): RecordedCall {
  const [observed, requested]: [Draft[], Command[]] = [[], []]
  if (!ledger.latest) throw new Error('expected events: an effect has a cause')
  return {
    cause: ledger.latest,
    ledger: () => ledger,
    observe: async (draft) => {
      observed.push(draft)
      return undefined
    },
    request: (command) => {
      requested.push(command)
      return answer(command, requested.length)
    },
    waitForExit: async () => ledger,
    observed,
    requested,
  }
}
