export const supervisorOptionsVariable = 'TALLY_SUPERVISOR_OPTIONS'
