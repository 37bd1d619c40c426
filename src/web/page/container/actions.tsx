import {useState} from 'preact/hooks'
import type {Failure} from '../../../../machines/ledger/events.ts'
import {toFailure} from '../api/http.ts'
import {FailureNote} from '../shell/notice.tsx'
import {CommandDialog} from './command-dialog.tsx'
import {commandNames, needsForce, type OfferedCommand, sendCommand, toOffered} from './commands.ts'
import type {Moment} from './moment.ts'

interface ActionsProps {
  readonly moment: Moment
  /** The command whose dialog is open. The chart can open it as well. */
  readonly asked: OfferedCommand | undefined
  readonly onAsk: (command: OfferedCommand | undefined) => void
  /** The pointer or the focus is on a command button: the chart highlights its transition. */
  readonly onPoint: (command: OfferedCommand | undefined) => void
}

const plain: ReadonlySet<OfferedCommand> = new Set(['start', 'resume', 'pause'])

/** Buttons for the commands that are possible now, and why the last command failed. */
export function Actions({moment, asked, onAsk, onPoint}: ActionsProps) {
  const [busy, setBusy] = useState<OfferedCommand | undefined>(undefined)
  const [failure, setFailure] = useState<Failure | undefined>(undefined)
  const live = moment.timeline.at(moment.timeline.events.length)
  const offered = toOffered(live)

  async function send(command: OfferedCommand, request: Readonly<Record<string, unknown>> = {}): Promise<void> {
    onAsk(undefined)
    setFailure(undefined)
    setBusy(command)
    try {
      await sendCommand(moment.address, command, request)
    } catch (error) {
      setFailure(toFailure(error))
    } finally {
      setBusy(undefined)
    }
  }

  if (!moment.isNow) return <p class="actions-past">Commands are available at the present moment only.</p>
  return (
    <div class="actions">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form of its own */}
      <div class="actions-buttons" role="group" aria-label="Commands">
        {offered.map((command) => (
          <button
            type="button"
            key={command}
            class={command === 'delete' ? 'button grave' : command === 'start' || command === 'resume' ? 'button strong' : 'button'}
            aria-busy={busy === command}
            onPointerEnter={() => onPoint(command)}
            onPointerLeave={() => onPoint(undefined)}
            onFocus={() => onPoint(command)}
            onBlur={() => onPoint(undefined)}
            onClick={() => (plain.has(command) ? void send(command) : onAsk(command))}
          >
            {commandNames[command]}
          </button>
        ))}
      </div>
      {failure && <FailureNote failure={failure} onDismiss={() => setFailure(undefined)} />}
      {asked && (
        <CommandDialog
          command={asked}
          id={moment.address.id}
          limits={live.snapshot.context.limits}
          isForced={needsForce(live)}
          onCancel={() => onAsk(undefined)}
          onSend={(request) => void send(asked, request)}
        />
      )}
    </div>
  )
}
