/** The table, as Flask-Session makes it, and the deletion of what has expired, which it means to turn on. */
import type { Call } from './client.ts';

const PAUSE_MS = 200;
const ATTEMPTS = 300;

/** Returns when there is a table that can be used, whoever made it. */
export async function ensureTable(call: Call, table: string): Promise<void> {
  const found = await create(call, table);
  if (found === 'unknown') return;
  await untilActive(call, table);
  if (found === 'made') await expireItems(call, table);
}

async function create(call: Call, table: string): Promise<'made' | 'there' | 'unknown'> {
  try {
    await call('DescribeTable', { TableName: table });
    return 'there';
  } catch (error) {
    // A role that may only use the items of a table: whether there is one, they will tell.
    if (isNamed(error, 'AccessDeniedException')) return 'unknown';
    if (!isNamed(error, 'ResourceNotFoundException')) throw error;
  }
  try {
    await call('CreateTable', {
      TableName: table,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    return 'made';
  } catch (error) {
    // Another process was faster.
    if (!isNamed(error, 'ResourceInUseException')) throw error;
    return 'there';
  }
}

async function untilActive(call: Call, table: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { Table: found } = await call('DescribeTable', { TableName: table });
    if (found?.TableStatus === 'ACTIVE' || found?.TableStatus === 'UPDATING') return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error(`the table ${table} did not become active`);
}

/** Saves storage, and nothing depends on it: servers that stand in for DynamoDB may not know it, a role may not allow it. */
async function expireItems(call: Call, table: string): Promise<void> {
  await call('UpdateTimeToLive', {
    TableName: table,
    TimeToLiveSpecification: { AttributeName: 'expiration', Enabled: true },
  }).catch(() => {});
}

export function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
