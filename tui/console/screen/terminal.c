/* SPDX-License-Identifier: BSD-3-Clause */
/* Restoring the terminal is prepared at the start: its mode and the escape sequences that leave the full screen are
 * kept in static memory, so that a crash handler needs only write and tcsetattr. Output of other code to stderr while
 * the screen is up goes to a file in memory and is printed afterwards. */
#define NCURSES_WIDECHAR 1
#include "console/screen/terminal.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define PAIRS_MAX 512

/* Numbers for keys that curses does not define. */
enum { TERM_WORD_LEFT = KEY_MAX + 1, TERM_WORD_RIGHT, TERM_TOP, TERM_BOTTOM, TERM_PASTE, TERM_PASTE_END };

static struct {
    SCREEN *screen;
    enum depth depth;
    bool utf8, open, mouse, had_mouse, extended;
    struct screen_cell *shown; /* the cells on the screen; NULL: redraw everything */
    int rows, cols, theme;
    int fg[PAIRS_MAX], bg[PAIRS_MAX];
    int pairs; /* pairs in use; 0 is the terminal's own */
    struct termios before;
    int stderr_saved, stderr_file;
    char leave[256]; /* escape sequences that restore the terminal */
    size_t leave_len;
} term = {.stderr_saved = -1, .stderr_file = -1};

static void remember_leave(const char *sequence)
{
    if (!sequence || sequence == (char *)-1)
        return;
    size_t len = strlen(sequence);
    if (term.leave_len + len < sizeof(term.leave)) {
        memcpy(term.leave + term.leave_len, sequence, len);
        term.leave_len += len;
    }
}

/* Async-signal-safe. */
static void put_back(void)
{
    if (write(STDOUT_FILENO, term.leave, term.leave_len) < 0 || tcsetattr(STDIN_FILENO, TCSANOW, &term.before) < 0)
        return;
    if (term.stderr_saved >= 0)
        dup2(term.stderr_saved, STDERR_FILENO);
}

static void on_crash(int number)
{
    put_back();
    signal(number, SIG_DFL);
    raise(number);
}

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGQUIT};

static void catch_crashes(void)
{
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};

    for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
        sigaction(crashes[i], &action, NULL);
}

static void hold_stderr(void)
{
    term.stderr_file = memfd_create("headway-stderr", MFD_CLOEXEC);
    if (term.stderr_file < 0)
        return;
    term.stderr_saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(term.stderr_file, STDERR_FILENO);
}

static void release_stderr(void)
{
    char piece[4096];
    ssize_t n;

    if (term.stderr_saved < 0)
        return;
    dup2(term.stderr_saved, STDERR_FILENO);
    close(term.stderr_saved);
    term.stderr_saved = -1;
    if (lseek(term.stderr_file, 0, SEEK_SET) == 0)
        while ((n = read(term.stderr_file, piece, sizeof(piece))) > 0)
            if (write(STDERR_FILENO, piece, (size_t)n) < 0)
                break;
    close(term.stderr_file);
    term.stderr_file = -1;
}

static int choose_depth(const char *colour, enum depth *out, struct err *e)
{
    const char *no_color = getenv("NO_COLOR");
    bool direct = tigetflag("RGB") > 0;
    int have = has_colors() ? COLORS : 0;

    enum depth most = direct        ? DEPTH_TRUE
                      : have >= 256 ? DEPTH_256
                      : have >= 16  ? DEPTH_16
                      : have >= 8   ? DEPTH_8
                                    : DEPTH_MONO;
    if (str_eq(colour, "auto"))
        *out = no_color && *no_color ? DEPTH_MONO : most;
    else if (str_eq(colour, "never"))
        *out = DEPTH_MONO;
    else if (str_eq(colour, "16"))
        *out = most < DEPTH_16 ? most : DEPTH_16;
    else if (str_eq(colour, "256"))
        *out = most < DEPTH_256 ? most : DEPTH_256;
    else if (str_eq(colour, "true"))
        *out = most;
    else
        return err_set(e, ERR_INVALID, "--color takes auto, never, 16, 256 or true, not '%.40s'", colour);
    return 0;
}

/* Enables bracketed paste; terminals without it ignore the request. */
static void bracket_pastes(bool on)
{
    const char *name = getenv("TERM"), *wish = on ? "\033[?2004h" : "\033[?2004l";

    if (name && (str_eq(name, "linux") || str_starts(name, "vt")))
        return;
    fflush(stdout);
    if (write(STDOUT_FILENO, wish, strlen(wish)) < 0)
        return; /* without it pasted text arrives as keys */
}

/* Keys without a name in curses: by their terminfo extension, else as most terminals send them. */
static void define_keys(void)
{
    static const struct {
        const char *name, *usual;
        int key;
    } keys[] = {
        {"kLFT5", "\033[1;5D", TERM_WORD_LEFT}, {"kRIT5", "\033[1;5C", TERM_WORD_RIGHT},
        {"kHOM5", "\033[1;5H", TERM_TOP},       {"kEND5", "\033[1;5F", TERM_BOTTOM},
        {"", "\033[200~", TERM_PASTE},          {"", "\033[201~", TERM_PASTE_END},
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *known = *keys[i].name ? tigetstr(keys[i].name) : NULL;

        define_key(keys[i].usual, keys[i].key);
        if (known && known != (char *)-1)
            define_key(known, keys[i].key);
    }
}

static void set_modes(void)
{
    raw();
    noecho();
    nonl();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    intrflush(stdscr, FALSE);
    set_escdelay(25);
}

int term_open(const char *colour, struct err *e)
{
    const char *name = getenv("TERM");
    int r;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &term.before) < 0)
        return err_set(e, ERR_UNSUPPORTED,
                       "the console needs a terminal: 'headway --snapshot nodes' prints a screen without one, and all "
                       "commands work (headway help)");
    setlocale(LC_CTYPE, "");
    term.screen = newterm(NULL, stdout, stdin);
    if (!term.screen)
        return err_set(e, ERR_UNSUPPORTED,
                       "the terminal type '%.60s' is not known on this machine: set TERM, such as "
                       "TERM=xterm-256color",
                       name ? name : "");
    set_term(term.screen);
    if (!cursor_address || !clear_screen) {
        endwin();
        return err_set(e, ERR_UNSUPPORTED,
                       "the terminal type '%.60s' cannot place its cursor: 'headway --snapshot nodes' prints a screen, "
                       "and all commands work without a console (headway help)",
                       name ? name : "");
    }
    start_color();
    use_default_colors();
    r = choose_depth(colour ? colour : "auto", &term.depth, e);
    if (r < 0) {
        endwin();
        return r;
    }
    term.extended = COLORS > 256;
    remember_leave("\033[?1000l\033[?1002l\033[?1006l\033[?2004l");
    remember_leave(tigetstr("sgr0"));
    remember_leave(tigetstr("cnorm"));
    remember_leave(tigetstr("rmkx"));
    remember_leave(tigetstr("rmcup"));
    set_modes();
    define_keys();
    bracket_pastes(true);
    term.utf8 = str_eq(nl_langinfo(CODESET), "UTF-8") && !(name && str_eq(name, "linux")) && glyph_fits_locale();
    term.theme = -1;
    term.open = true;
    hold_stderr();
    catch_crashes();
    atexit(term_close);
    return 0;
}

void term_close(void)
{
    if (!term.open)
        return;
    term.open = false;
    term_mouse(false);
    bracket_pastes(false);
    endwin();
    delscreen(term.screen);
    free(term.shown);
    term.shown = NULL;
    release_stderr();
}

bool term_utf8(void)
{
    return term.utf8;
}

void term_size(int *rows, int *cols)
{
    getmaxyx(stdscr, *rows, *cols);
}

void term_mouse(bool on)
{
    const char *name = getenv("TERM");

    /* On the Linux console curses would load another library for the mouse and talk to a daemon. */
    if (on == term.mouse || (name && str_eq(name, "linux")))
        return;
    term.mouse = on;
    mousemask(on ? BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | BUTTON3_PRESSED | BUTTON3_CLICKED |
                       BUTTON4_PRESSED | BUTTON5_PRESSED
                 : 0,
              NULL);
    mouseinterval(0);
}

/* The number of a colour pair, allocated on first use. The terminal's own if there are no more. */
static int pair_of(int fg, int bg)
{
    if (fg < 0 && bg < 0)
        return 0;
    for (int i = 1; i <= term.pairs; i++)
        if (term.fg[i] == fg && term.bg[i] == bg)
            return i;
    if (term.pairs + 1 >= PAIRS_MAX || term.pairs + 1 >= COLOR_PAIRS)
        return 0;
    int pair = term.pairs + 1;
    if ((term.extended ? init_extended_pair(pair, fg, bg) : init_pair((short)pair, (short)fg, (short)bg)) == ERR)
        return 0;
    term.fg[pair] = fg;
    term.bg[pair] = bg;
    return term.pairs = pair;
}

static attr_t attributes(unsigned look)
{
    return (look & LOOK_BOLD ? A_BOLD : 0) | (look & LOOK_DIM ? A_DIM : 0) | (look & LOOK_UNDERLINE ? A_UNDERLINE : 0) |
           (look & LOOK_REVERSE ? A_REVERSE : 0);
}

struct painted {
    attr_t attrs;
    int pair;
};

/* Styles are looked up once per theme, not per cell. */
static struct painted styles[ROLE_COUNT][8];

static void prepare_styles(int theme)
{
    if (term.theme == theme)
        return;
    term.theme = theme;
    term.pairs = 0;
    for (int role = 0; role < ROLE_COUNT; role++)
        for (unsigned flags = 0; flags < 8; flags++) {
            struct style s = theme_style(theme, term.depth, (enum role)role, (flags & CANVAS_SELECTED) != 0);

            if (flags & (CANVAS_DIM | CANVAS_STRUCK))
                s.look |= LOOK_DIM;
            styles[role][flags] = (struct painted){attributes(s.look), pair_of(s.fg, s.bg)};
        }
    term_redraw();
}

void term_redraw(void)
{
    free(term.shown);
    term.shown = NULL;
    clearok(stdscr, TRUE);
}

static void put_cell(int row, int col, const struct screen_cell *cell)
{
    struct painted p = styles[cell->role][cell->flags & 7];
    wchar_t text[4] = {cell->text[0], cell->text[1], cell->text[2], 0};
    cchar_t out;

    if (!cell->width)
        return;
    setcchar(&out, text, p.attrs, (short)p.pair, &p.pair);
    mvadd_wch(row, col, &out);
}

void term_show(const struct canvas *c, int theme)
{
    size_t count = (size_t)c->rows * (size_t)c->cols;

    prepare_styles(theme);
    bool all = !term.shown || term.rows != c->rows || term.cols != c->cols;
    if (all) {
        free(term.shown);
        term.shown = mem_resize(NULL, count, sizeof(*term.shown));
        term.rows = c->rows;
        term.cols = c->cols;
    }
    for (int row = 0; row < c->rows; row++) {
        size_t at = (size_t)row * (size_t)c->cols, bytes = (size_t)c->cols * sizeof(struct screen_cell);

        if (!all && memcmp(term.shown + at, c->cells + at, bytes) == 0)
            continue;
        for (int col = 0; col < c->cols; col++)
            if (all ||
                memcmp(&term.shown[at + (size_t)col], &c->cells[at + (size_t)col], sizeof(struct screen_cell)) != 0)
                put_cell(row, col, &c->cells[at + (size_t)col]);
        memcpy(term.shown + at, c->cells + at, bytes);
    }
    curs_set(c->cursor_shown || c->plain ? 1 : 0);
    move(c->cursor_row < c->rows ? c->cursor_row : 0, c->cursor_col < c->cols ? c->cursor_col : 0);
    refresh();
}

/* It bypasses curses and does not move the cursor. */
void term_copy(const char *text)
{
    const char *name = getenv("TERM");
    struct buf b = BUF_INIT(0);

    /* These terminals would print it instead. */
    if (name && (str_eq(name, "linux") || str_starts(name, "vt") || str_eq(name, "dumb")))
        return;
    buf_adds(&b, "\033]52;c;");
    crypto_base64(&b, text, strlen(text));
    buf_adds(&b, "\033\\");
    fflush(stdout);
    for (size_t at = 0; at < b.len;) {
        ssize_t n = write(STDOUT_FILENO, b.data + at, b.len - at);

        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    explicit_bzero(b.data, b.len);
    buf_release(&b);
}

static const struct {
    int curses, key;
} special[] = {
    {KEY_UP, CK_UP},
    {KEY_DOWN, CK_DOWN},
    {KEY_LEFT, CK_LEFT},
    {KEY_RIGHT, CK_RIGHT},
    {KEY_HOME, CK_HOME},
    {KEY_END, CK_END},
    {KEY_PPAGE, CK_PGUP},
    {KEY_NPAGE, CK_PGDN},
    {KEY_DC, CK_DELETE},
    {KEY_BTAB, CK_BACKTAB},
    {KEY_F(1), CK_F1},
    {KEY_RESIZE, CK_RESIZE},
    {KEY_F(2), CK_F2},
    {KEY_F(3), CK_F3},
    {KEY_F(8), CK_F8},
    {TERM_TOP, CK_TOP},
    {TERM_BOTTOM, CK_BOTTOM},
    {TERM_PASTE, CK_PASTE},
    {TERM_PASTE_END, CK_PASTE_END},
    {TERM_WORD_LEFT, CK_WORD_LEFT},
    {TERM_WORD_RIGHT, CK_WORD_RIGHT},
    {KEY_ENTER, CK_ENTER},
    {KEY_BACKSPACE, CK_BACKSPACE},
};

static struct term_event read_mouse(void)
{
    struct term_event event = {.key = CK_MOUSE, .row = -1};
    MEVENT m;

    if (getmouse(&m) != OK)
        return event;
    event.row = m.y;
    event.col = m.x;
    if (m.bstate & BUTTON4_PRESSED)
        event.wheel = -3;
    else if (m.bstate & BUTTON5_PRESSED)
        event.wheel = 3;
    else if (m.bstate & (BUTTON3_PRESSED | BUTTON3_CLICKED))
        event.menu = true;
    else if (m.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED))
        event.clicks = m.bstate & BUTTON1_DOUBLE_CLICKED ? 2 : 1;
    return event;
}

static int plain_key(wint_t in)
{
    return in == '\n' || in == '\r' ? CK_ENTER : in == 8 ? CK_BACKSPACE : in == 0 ? CK_CTRL_SPACE : (int)in;
}

/* Reads what follows an Esc: a character or Enter is one pressed with Alt. The rest of an unknown key's sequence is
 * discarded: its letters are not keys. Anything else stays. */
static int read_escaped(void)
{
    wint_t in;
    int r = get_wch(&in);

    if (r == ERR)
        return CK_ESC;
    if (r != OK || (in < 0x20 && in != '\r' && in != '\n') || in > 0x7e) {
        if (r == OK)
            unget_wch((wchar_t)in);
        else
            ungetch((int)in);
        return CK_ESC;
    }
    if (in != '[' && in != 'O')
        return CK_ALT | plain_key(in);
    for (int i = 0; i < 32 && get_wch(&in) == OK && (in < 0x40 || in > 0x7e); i++)
        ;
    return CK_RESIZE;
}

struct term_event term_read(void)
{
    struct term_event event = {.key = CK_NONE};
    wint_t in;
    int r = get_wch(&in);

    if (r == ERR)
        return event;
    if (r == KEY_CODE_YES) {
        if (in == KEY_MOUSE)
            return read_mouse();
        event.key = CK_RESIZE; /* an unknown key at least repaints */
        for (size_t i = 0; i < ARRAY_LEN(special); i++)
            if ((int)in == special[i].curses)
                event.key = special[i].key;
        return event;
    }
    event.key = in == CK_ESC ? read_escaped() : plain_key(in);
    return event;
}

void term_leave(void)
{
    term.had_mouse = term.mouse;
    term_mouse(false);
    bracket_pastes(false);
    endwin();
    if (term.stderr_saved >= 0)
        dup2(term.stderr_saved, STDERR_FILENO);
}

void term_enter(void)
{
    if (term.stderr_saved >= 0)
        dup2(term.stderr_file, STDERR_FILENO);
    set_modes();
    bracket_pastes(true);
    term_mouse(term.had_mouse);
    flushinp();
    term_redraw();
}

void term_suspend(void)
{
    term_leave();
    kill(0, SIGSTOP);
    term_enter();
}
