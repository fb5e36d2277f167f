/*
 * What programs for Windows judges expect from Windows' headers and libraries, as C that also compiles as C++. Each text replaces
 * an #include or is inserted before a program's first line. Inserted texts include nothing, because programs define macros
 * (_GLIBCXX_DEBUG, _GNU_SOURCE) that must come before the first header. Semantics: Microsoft's C run-time library and Windows API
 * reference.
 */

const TCHAR_H = `#ifndef RESUME_RUN_TCHAR
#define RESUME_RUN_TCHAR
#define _T(text) text
#define _TEXT(text) text
#endif
`;

/** Include names in lower case, and the text that replaces the header; empty if nothing is needed. */
export const WINDOWS_HEADERS: Readonly<Record<string, string>> = {
    'conio.h': `#include <stdio.h>
#ifndef RESUME_RUN_CONIO
#define RESUME_RUN_CONIO
static inline int resume_run_getch(void) { return getchar(); }
static inline int resume_run_zero(void) { return 0; }
#define getch resume_run_getch
#define _getch resume_run_getch
#define getche resume_run_getch
#define _getche resume_run_getch
#define kbhit resume_run_zero
#define _kbhit resume_run_zero
#define clrscr resume_run_zero
#define _putch putchar
#define putch putchar
#define cprintf printf
#define _cprintf printf
#define cscanf scanf
#define cputs(text) fputs(text, stdout)
#endif
`,
    'windows.h': `#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifndef RESUME_RUN_WINDOWS
#define RESUME_RUN_WINDOWS
typedef int BOOL, INT, INT32, LONG;
typedef unsigned int UINT, UINT32, DWORD, ULONG, DWORD32;
typedef long long LONGLONG, INT64, LONG64, LONG_PTR, INT_PTR;
typedef unsigned long long ULONGLONG, UINT64, DWORD64, ULONG64, DWORDLONG, ULONG_PTR, UINT_PTR, DWORD_PTR;
typedef char CHAR, TCHAR;
typedef unsigned char BYTE, UCHAR, BOOLEAN;
typedef short SHORT, INT16;
typedef unsigned short WORD, USHORT, UINT16;
typedef signed char INT8;
typedef unsigned char UINT8;
typedef float FLOAT;
typedef size_t SIZE_T;
typedef void *HANDLE, *PVOID, *LPVOID, *HWND, *HINSTANCE;
typedef const void *LPCVOID;
typedef char *LPSTR, *PSTR, *LPTSTR;
typedef const char *LPCSTR, *PCSTR, *LPCTSTR;
typedef DWORD *LPDWORD, *PDWORD;
typedef union { struct { DWORD LowPart; LONG HighPart; }; LONGLONG QuadPart; } LARGE_INTEGER;
#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif
#define WINAPI
#define APIENTRY
#define CALLBACK
#ifndef VOID
#define VOID void
#endif
#define CONST const
#define MAX_PATH 260
#define ZeroMemory(place, size) memset((place), 0, (size))
#define FillMemory(place, size, byte) memset((place), (byte), (size))
#define CopyMemory(to, from, size) memcpy((to), (from), (size))
#define MoveMemory(to, from, size) memmove((to), (from), (size))
#define ExitProcess(code) exit((int)(code))
#define SetConsoleOutputCP(page) ((void)(page), TRUE)
#define SetConsoleCP(page) ((void)(page), TRUE)
#define SetConsoleTitle(text) ((void)(text), TRUE)
static inline LONGLONG resume_run_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (LONGLONG)now.tv_sec * 1000000000LL + now.tv_nsec;
}
static inline DWORD GetTickCount(void) { return (DWORD)(resume_run_nanoseconds() / 1000000); }
static inline ULONGLONG GetTickCount64(void) { return (ULONGLONG)(resume_run_nanoseconds() / 1000000); }
static inline DWORD timeGetTime(void) { return GetTickCount(); }
static inline BOOL QueryPerformanceFrequency(LARGE_INTEGER *of) { of->QuadPart = 1000000000LL; return TRUE; }
static inline BOOL QueryPerformanceCounter(LARGE_INTEGER *at) { at->QuadPart = resume_run_nanoseconds(); return TRUE; }
static inline void Sleep(DWORD milliseconds) {
    struct timespec wait;
    wait.tv_sec = milliseconds / 1000;
    wait.tv_nsec = (long)(milliseconds % 1000) * 1000000;
    nanosleep(&wait, NULL);
}
#if !defined __cplusplus && !defined NOMINMAX && !defined min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif
`,
    'tchar.h': TCHAR_H,
    'stdafx.h': `#include <stdio.h>\n#include <stdlib.h>\n${TCHAR_H}`,
    'targetver.h': '',
    'windef.h': '',
    'winbase.h': '',
    'mmsystem.h': '',
    'sdkddkver.h': '',
    'crtdbg.h': '',
    'process.h': '#include <stdlib.h>\n',
    'io.h': '#include <stdio.h>\n',
    'direct.h': '',
    'intrin.h': '#include <x86intrin.h>\n',
};

/** Keywords of Microsoft's and MinGW's compilers, and their definitions for other compilers. */
export const WINDOWS_WORDS: Readonly<Record<string, string>> = {
    __int64: '#define __int64 long long',
    _int64: '#define _int64 long long',
    __int32: '#define __int32 int',
    __int16: '#define __int16 short',
    __int8: '#define __int8 char',
    __forceinline: '#define __forceinline inline',
    __cdecl: '#define __cdecl',
    __stdcall: '#define __stdcall',
    __fastcall: '#define __fastcall',
    _tmain: '#define _tmain main',
    _TCHAR: '#define _TCHAR char',
    _I64_MAX: '#define _I64_MAX 9223372036854775807LL',
    _I64_MIN: '#define _I64_MIN (-9223372036854775807LL - 1)',
    _UI64_MAX: '#define _UI64_MAX 18446744073709551615ULL',
};

const TO_TEXT = `static inline char *resume_run_to_text(unsigned long long value, int negative, char *text, int base) {
    char digits[65];
    int count = 0, at = 0;
    do { digits[count++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % base]; value /= base; } while (value != 0);
    if (negative) text[at++] = '-';
    while (count > 0) text[at++] = digits[--count];
    text[at] = 0;
    return text;
}
`;
const ITOA = `static inline char *resume_run_itoa(int value, char *text, int base) {
    return value < 0 && base == 10 ? resume_run_to_text(0ULL - (long long)value, 1, text, base) : resume_run_to_text((unsigned)value, 0, text, base);
}
`;
const I64TOA = `static inline char *resume_run_i64toa(long long value, char *text, int base) {
    return value < 0 && base == 10 ? resume_run_to_text(0ULL - value, 1, text, base) : resume_run_to_text((unsigned long long)value, 0, text, base);
}
`;
const UI64TOA = `static inline char *resume_run_ui64toa(unsigned long long value, char *text, int base) { return resume_run_to_text(value, 0, text, base); }
`;
const STRREV = `static inline char *resume_run_strrev(char *text) {
    int end = 0, at = 0;
    while (text[end]) end++;
    while (at < --end) { char one = text[at]; text[at++] = text[end]; text[end] = one; }
    return text;
}
`;
const LOWER = `static inline int resume_run_lower(int one) { return one >= 'A' && one <= 'Z' ? one + 32 : one; }
`;
const STRLWR = `static inline char *resume_run_strlwr(char *text) {
    for (char *at = text; *at; at++) *at = (char)resume_run_lower(*at);
    return text;
}
`;
const STRUPR = `static inline char *resume_run_strupr(char *text) {
    for (char *at = text; *at; at++) if (*at >= 'a' && *at <= 'z') *at = (char)(*at - 32);
    return text;
}
`;
const STRICMP = `static inline int resume_run_stricmp(const char *a, const char *b) {
    while (*a && resume_run_lower(*a) == resume_run_lower(*b)) { a++; b++; }
    return resume_run_lower((unsigned char)*a) - resume_run_lower((unsigned char)*b);
}
`;

/** A function of Windows' C library: its name there, and the texts that implement it. */
export interface WindowsFunction {
    readonly names: readonly string[];
    readonly standIn: string;
    readonly texts: readonly string[];
}

export const WINDOWS_FUNCTIONS: readonly WindowsFunction[] = [
    { names: ['itoa', '_itoa', 'ltoa', '_ltoa'], standIn: 'resume_run_itoa', texts: [TO_TEXT, ITOA] },
    { names: ['_i64toa', 'lltoa'], standIn: 'resume_run_i64toa', texts: [TO_TEXT, I64TOA] },
    { names: ['_ui64toa', 'ulltoa'], standIn: 'resume_run_ui64toa', texts: [TO_TEXT, UI64TOA] },
    { names: ['_atoi64'], standIn: 'atoll', texts: [] },
    { names: ['strrev', '_strrev'], standIn: 'resume_run_strrev', texts: [STRREV] },
    { names: ['strlwr', '_strlwr'], standIn: 'resume_run_strlwr', texts: [LOWER, STRLWR] },
    { names: ['strupr', '_strupr'], standIn: 'resume_run_strupr', texts: [STRUPR] },
    { names: ['stricmp', '_stricmp', 'strcmpi'], standIn: 'resume_run_stricmp', texts: [LOWER, STRICMP] },
];
