/** The sign of the application: a floor plan of two rooms. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M7 8.5h18v15H7zM7 18.5h11v5M18 8.5v6h7" />
    </svg>
  );
}
