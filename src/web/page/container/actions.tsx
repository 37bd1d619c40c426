import {useState} from 'preact/hooks'
import type {ApiFailure} from '../api/http.ts'
import {toFailure} from '../api/http.ts'
import {FailureNote} from '../shell/notice.tsx'
import {CommandDialog} from './command-dialog.tsx'
import {commandNames, needsForce, type OfferedCommand, sendCommand, toOffered} from './commands.ts'
import type {Moment} from './moment.ts'

interface ActionsProps {
  readonly moment: Moment
  /** Of a dialog that is open; it may be opened by the chart. */
  readonly asked: OfferedCommand | undefined
  readonly onAsk: (command: OfferedCommand | undefined) => void
  /** The pointer or the focus is on a button: the chart shows where it leads. */
  readonly onPoint: (command: OfferedCommand | undefined) => void
}

const plain: ReadonlySet<OfferedCommand> = new Set(['start', 'resume', 'pause'])

/** The commands that are legal now, one of them under way, and why the last was refused. */
export function Actions({moment, asked, onAsk, onPoint}: ActionsProps) {
  const [busy, setBusy] = useState<OfferedCommand | undefined>(undefined)
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined)
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

  if (!moment.isNow) return <p class="actions-past">Commands are for the present.</p>
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
