import {useEffect, useRef, useState} from 'preact/hooks'
import type {Moment} from '../container/moment.ts'
import {FailureNote} from '../shell/notice.tsx'
import {formatExit} from '../wording/exit.ts'
import {openTerminalSession, type TerminalEnd, type TerminalTarget} from './session.ts'
import {splitCommand} from './split-command.ts'

/** Runs a shell or another command in the container, or attaches to the container's own terminal. */
export function TerminalTab({moment}: {readonly moment: Moment}) {
  const [command, setCommand] = useState('sh')
  const [target, setTarget] = useState<TerminalTarget | undefined>(undefined)
  const [opened, setOpened] = useState(0)
  const live = moment.timeline.at(moment.timeline.events.length)
  const canRun = live.snapshot.matches('running') && live.snapshot.context.pausedAt === undefined
  const {terminal, request} = live.snapshot.context
  const open = (next: TerminalTarget) => {
    setTarget(next)
    setOpened(opened + 1)
  }
  return (
    <div class="terminal-tab">
      <form
        class="terminal-form"
        onSubmit={(event) => {
          event.preventDefault()
          open({mode: 'exec', args: splitCommand(command)})
        }}
      >
        <label class="unseen" for="terminal-command">
          Command
        </label>
        <input
          id="terminal-command"
          class="select mono"
          value={command}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setCommand(event.currentTarget.value)}
        />
        <button type="submit" class="button strong" disabled={!canRun || command.trim() === ''}>
          Run
        </button>
        {(terminal || request?.stdin) && (
          <button type="button" class="button" disabled={!canRun} onClick={() => open({mode: 'attach'})}>
            Attach to {moment.address.id}
          </button>
        )}
      </form>
      {!canRun && !target && <p class="tab-note">A terminal needs a running container.</p>}
      {target && <OpenTerminal key={opened} moment={moment} target={target} />}
    </div>
  )
}

function OpenTerminal({moment, target}: {readonly moment: Moment; readonly target: TerminalTarget}) {
  const element = useRef<HTMLDivElement>(null)
  const [end, setEnd] = useState<TerminalEnd | undefined>(undefined)
  const [isReady, setReady] = useState(false)
  useEffect(() => {
    let isGone = false
    let close = () => {}
    void import('./screen.ts').then(({openScreen}) => {
      if (isGone || !element.current) return
      const screen = openScreen(element.current, {onInput: (bytes) => session.send(bytes), onResize: (size) => session.resize(size)})
      const session = openTerminalSession(moment.address, target, screen.size, {
        onReady: () => {
          setReady(true)
          screen.focus()
        },
        onBytes: (bytes) => screen.write(bytes),
        onEnd: setEnd,
      })
      close = () => {
        session[Symbol.dispose]()
        screen[Symbol.dispose]()
      }
    })
    return () => {
      isGone = true
      close()
    }
  }, [])
  return (
    <>
      <div ref={element} class="terminal-screen" data-ready={isReady} data-ended={end !== undefined} />
      <p class="terminal-note" role="status">
        {end === undefined ? (isReady ? 'connected' : 'connecting…') : toNote(end)}
      </p>
      {end?.type === 'error' && <FailureNote failure={end.failure} />}
    </>
  )
}

function toNote(end: TerminalEnd): string {
  switch (end.type) {
    case 'exit':
      return `ended: ${formatExit(end.exit)}`
    case 'error':
      return 'failed'
    case 'lost':
      return 'connection lost'
  }
}
