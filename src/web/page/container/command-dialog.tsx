import type {ComponentChildren} from 'preact'
import type {Limits} from '../../../../machines/schemas/limits.ts'
import {Dialog} from '../shell/dialog.tsx'
import {formatBytes, parseBytes} from '../wording/quantity.ts'
import {commandNames, type OfferedCommand} from './commands.ts'

interface CommandDialogProps {
  readonly command: OfferedCommand
  readonly id: string
  readonly limits: Limits
  /** The container runs: a delete must kill it first. */
  readonly isForced: boolean
  readonly onCancel: () => void
  readonly onSend: (request: Readonly<Record<string, unknown>>) => void
}

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGKILL'] as const

/** Asks for the parameters of a command before it is sent. */
export function CommandDialog({command, id, limits, isForced, onCancel, onSend}: CommandDialogProps) {
  const {title, body, toRequest} = toForm(command, {id, limits, isForced})
  return (
    <Dialog title={title} onClose={onCancel}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault()
          onSend(toRequest(new FormData(event.currentTarget)))
        }}
      >
        {body}
        <div class="form-end">
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
          <button type="submit" class={command === 'delete' ? 'button grave' : 'button strong'}>
            {commandNames[command].replace('…', '')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

interface Form {
  readonly title: string
  readonly body: ComponentChildren
  readonly toRequest: (data: FormData) => Readonly<Record<string, unknown>>
}

function toForm(command: OfferedCommand, {id, limits, isForced}: Pick<CommandDialogProps, 'id' | 'limits' | 'isForced'>): Form {
  switch (command) {
    case 'stop':
      return {
        title: `Stop ${id}`,
        body: (
          <>
            <SignalField value="SIGTERM" />
            <TextField name="grace" label="Seconds until SIGKILL" value="10" />
          </>
        ),
        toRequest: (data) => ({signal: text(data, 'signal'), graceMs: toGraceMs(text(data, 'grace'))}),
      }
    case 'kill':
      return {
        title: `Signal ${id}`,
        body: (
          <>
            <SignalField value="SIGKILL" />
            <CheckField name="all" label="To every process of the container" />
          </>
        ),
        toRequest: (data) => ({signal: text(data, 'signal'), ...(data.has('all') && {all: true})}),
      }
    case 'update':
      return {
        title: `Limits of ${id}`,
        body: (
          <>
            <TextField name="memory" label="Memory, such as 256m" value={limits.memoryBytes ? formatBytes(limits.memoryBytes) : ''} />
            <TextField name="cpus" label="CPUs, such as 0.5" value={String(limits.cpus ?? '')} />
            <TextField name="pids" label="Processes at most" value={String(limits.pidsLimit ?? '')} />
            <p class="form-note">An empty field means no limit.</p>
          </>
        ),
        toRequest: toLimitsRequest,
      }
    case 'checkpoint':
      return {
        title: `Checkpoint ${id}`,
        body: (
          <>
            <TextField name="image" label="An empty directory on the node" value={`/var/tmp/${id}-checkpoint`} />
            <CheckField name="leaveRunning" label="Leave the container running" />
          </>
        ),
        toRequest: (data) => ({image: text(data, 'image'), leaveRunning: data.has('leaveRunning')}),
      }
    case 'delete':
      return {
        title: `Delete ${id}?`,
        body: (
          <p class="form-note">
            {isForced ? 'The container is running and will be killed. ' : ''}Its files and its output are deleted. Its ledger stays in the
            event stream for as long as that keeps events.
          </p>
        ),
        toRequest: () => (isForced ? {force: true} : {}),
      }
    case 'start':
    case 'pause':
    case 'resume':
      return {title: commandNames[command], body: null, toRequest: () => ({})}
  }
}

/** Text that is not a number is sent as it is: the node rejects it with an explanation. */
function toLimitsRequest(data: FormData): Readonly<Record<string, unknown>> {
  const [memory, cpus, pids] = [text(data, 'memory'), text(data, 'cpus'), text(data, 'pids')]
  return {
    memoryBytes: memory === '' ? null : (parseBytes(memory) ?? memory),
    cpus: cpus === '' ? null : toNumber(cpus),
    pidsLimit: pids === '' ? null : toNumber(pids),
  }
}

function toGraceMs(seconds: string): number | string {
  const ms = Math.round(Number(seconds) * 1_000)
  return Number.isNaN(ms) ? seconds : ms
}

function toNumber(value: string): number | string {
  return Number.isNaN(Number(value)) ? value : Number(value)
}

function text(data: FormData, name: string): string {
  const value = data.get(name)
  return typeof value === 'string' ? value.trim() : ''
}

function SignalField({value}: {readonly value: string}) {
  return (
    <label class="field">
      Signal
      <select name="signal">
        {signals.map((name) => (
          <option key={name} value={name} selected={name === value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

interface TextFieldProps {
  readonly name: string
  readonly label: string
  readonly value: string
}

function TextField({name, label, value}: TextFieldProps) {
  return (
    <label class="field">
      {label}
      <input name={name} defaultValue={value} autocomplete="off" spellcheck={false} />
    </label>
  )
}

function CheckField({name, label}: {readonly name: string; readonly label: string}) {
  return (
    <label class="field check">
      <input type="checkbox" name={name} />
      {label}
    </label>
  )
}
