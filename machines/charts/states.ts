/** The states of a container at the top level of the chart. */
export const topLevelStates = [
  'absent',
  'creating',
  'created',
  'starting',
  'running',
  'stopped',
  'waiting',
  'failed',
  'deleting',
  'deleted',
] as const
export type TopLevelState = (typeof topLevelStates)[number]
