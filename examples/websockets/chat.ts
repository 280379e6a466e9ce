/** What happens on a socket: a message goes to everybody, and is counted in the session of who wrote it. */
import type { SocketSession } from 'flacon/adapters/ws';
import { type RawData, WebSocket, type WebSocketServer } from 'ws';

/** The code for "sign in first": one that applications may give a meaning, like the 4401 of a session that is over. */
const UNKNOWN = 4403;

export function chat(wss: WebSocketServer): (ws: WebSocket, visitor: SocketSession) => void {
  return (ws, visitor) => {
    ws.on('error', (error) => console.error(error));
    if (!visitor.session.has('name')) {
      ws.close(UNKNOWN, 'sign in first');
      return;
    }
    ws.send(JSON.stringify({ from: 'chat', text: `Welcome, ${visitor.session.get('name')}.` }));
    ws.on('message', (data) => {
      // It fails when the session ended while the message was handled; then there is nobody left to tell.
      say(wss, visitor, data).catch((error) => {
        if (!visitor.revoked.aborted) console.error(error);
        ws.close(1011, 'failed');
      });
    });
  };
}

async function say(wss: WebSocketServer, visitor: SocketSession, data: RawData): Promise<void> {
  const line = await visitor.run((session) => ({
    from: session.get('name', 'nobody'),
    text: String(data),
    count: session.update('written', (written = 0) => written + 1),
  }));
  for (const client of wss.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(JSON.stringify(line));
  }
}
