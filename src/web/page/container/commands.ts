/** The commands that the page offers for a container, and how they are sent. */
import * as z from 'zod'
import type {CommandType} from '../../../../machines/commands/commands.ts'
import {isPossible, legalCommands} from '../../../../machines/commands/decide.ts'
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import type {Ledger} from '../../../../machines/ledger/ledger.ts'
import {postJson} from '../api/http.ts'
import {containerPath} from '../api/paths.ts'

/** In the order in which they are shown. */
export const offeredCommands = ['start', 'resume', 'pause', 'stop', 'kill', 'update', 'checkpoint', 'delete'] as const
export type OfferedCommand = (typeof offeredCommands)[number]

export const commandNames: Readonly<Record<OfferedCommand, string>> = {
  start: 'Start',
  resume: 'Resume',
  pause: 'Pause',
  stop: 'Stop…',
  kill: 'Signal…',
  update: 'Limits…',
  checkpoint: 'Checkpoint…',
  delete: 'Delete…',
}

/** The commands that the chart allows. `delete` is offered for a running container, too: it is then forced. */
export function toOffered(ledger: Ledger): readonly OfferedCommand[] {
  const legal: readonly CommandType[] = legalCommands(ledger)
  const canForce = isPossible(ledger, {type: 'container.delete-requested', data: {force: true}})
  return offeredCommands.filter((command) => legal.includes(command) || (command === 'delete' && canForce))
}

export function needsForce(ledger: Ledger): boolean {
  return !legalCommands(ledger).includes('delete')
}

export function isOffered(value: string): value is OfferedCommand {
  return offeredCommands.some((command) => command === value)
}

/** Resolves when the command is done. @throws ApiError if it was rejected or has failed */
export async function sendCommand(address: ContainerAddress, verb: string, request: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await postJson(containerPath(address, `/${verb}`), request, z.unknown())
}
