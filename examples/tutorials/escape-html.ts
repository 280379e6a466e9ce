/** Text that a visitor chose, for a place in HTML (markupsafe's `escape`). */
export function escapeHtml(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
