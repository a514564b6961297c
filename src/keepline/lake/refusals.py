"""Why a file cannot be taken in at all, each reason said once: what, where and what to do."""

from __future__ import annotations

from keepline.errors import IntakeError

_WORDS = {
    "empty_file": ("{file} is empty; ask for it again", "{file} 是空文件；请重新索取"),
    "nul_bytes": (
        "{file} holds NUL bytes: damaged, or UTF-16 without its mark; if you know, write encoding under [source]",
        "{file} 含有 NUL 字节：文件已损坏，或为无标记的 UTF-16；如已知编码请在 [source] 中写明 encoding",
    ),
    "html_table": (
        "{file} is a web page named as a spreadsheet; open it and save it as .xlsx or .csv",
        "{file} 实为网页；请打开后另存为 .xlsx 或 .csv",
    ),
    "password": (
        "{file} is protected by a password; save it without one",
        "{file} 有密码保护；请去除密码后另存",
    ),
    "zip_bomb": (
        "{file} unpacks to far more than it should ({said}); if that is right, raise {limit} under [limits]",
        "{file} 解压后异常巨大（{said}）；如确属正常，请在 [limits] 中提高 {limit}",
    ),
    "several_members": (
        "{file} holds several files ({said}); say which: member under [source]",
        "{file} 内含多个文件（{said}）；请在 [source] 中用 member 指明",
    ),
    "several_sheets": (
        "{file} has several sheets with rows ({said}); say which: sheet under [source]",
        "{file} 有多个含数据的工作表（{said}）；请在 [source] 中用 sheet 指明",
    ),
    "no_sheet": ("{file} has no sheet {said}", "{file} 中没有工作表 {said}"),
    "unreadable": ("{file} cannot be read: {said}", "{file} 无法读取：{said}"),
    "being_written": (
        "{file} changed while it was read; load it again once it is complete",
        "{file} 在读取过程中发生变化；请待其写完后重新载入",
    ),
    "not_ready": (
        "{file} is not marked ready: {file}.ok is absent, and the mapping asks for it",
        "{file} 尚未就绪：缺少映射所要求的 {file}.ok",
    ),
    "line_too_long": (
        "{file} has a line of more than {said} MB; it is not the text it seems",
        "{file} 有一行超过 {said} MB，不像正常文本",
    ),
    "too_many_columns": (
        "{file} has {said} columns; if that is right, raise columns_max under [limits]",
        "{file} 有 {said} 列；如确属正常，请在 [limits] 中提高 columns_max",
    ),
    "duplicate_headers": (
        "{file} bears the same header twice: {said}; rename one",
        "{file} 表头重复：{said}；请改名",
    ),
    "no_header": (
        "{file} has no header: its first row reads like data ({said}); name the columns with header under [source]",
        "{file} 没有表头：首行像是数据（{said}）；请在 [source] 中用 header 给出列名",
    ),
    "missing_column": (
        "{file} lacks the column {said}; correct the mapping, or mark the column optional = true",
        "{file} 缺少列 {said}；请改正映射，或为该列写 optional = true",
    ),
    "no_month_in_name": (
        "the name of {file} bears no billing month as the mapping expects ({said})",
        "{file} 的文件名不含映射所期望的账期（{said}）",
    ),
    "pseudonym_collision": (
        "{file}: two customer numbers share one pseudonym ({said}); nothing was loaded; make a new site, whose key "
        "is another one, and load every file there",
        "{file}：两个客户编号得到同一假名（{said}），未载入任何数据；请新建站点（密钥不同），并在那里重新载入全部文件",
    ),
    "bad_encoding_name": ("encoding {said} is not known", "不认识编码 {said}"),
    "busy": (
        "another load is at work on this site; wait until it is done",
        "另一载入正在处理本站点；请等其完成",
    ),
    "no_load": (
        "there is no load {said}; the loads there are: keepline intake loads",
        "没有编号为 {said} 的载入；全部载入见 keepline intake loads",
    ),
    "undone_before": (
        "load {said} ({file}) was undone before, and nothing of it is left; load the file again if you need it",
        "载入 {said}（{file}）此前已撤销，没有可再撤销的内容；如需要，可重新载入该文件",
    ),
    "too_late": (
        "load {said} ({file}) can be undone no more: what it replaced is not kept any longer, "
        "or it was loaded by an earlier version. Load a corrected file instead; its rows take the place of these",
        "载入 {said}（{file}）已不能撤销：它替换掉的内容不再保留，或由更早的版本载入；"
        "请改为载入更正后的文件，按主键覆盖",
    ),
    "later_load": (
        "load {said} ({file}) cannot be undone while later loads build on it: {limit}. "
        "Undo those first, the last one first",
        "载入 {said}（{file}）暂不能撤销，其后的载入以它为基础：{limit}。请先从最后一次起依次撤销它们",
    ),
    "former_gone": (
        "load {said} ({file}) cannot be undone: {limit}, which it replaced, is damaged or gone; "
        "nothing was changed. Restore the lake from a backup, or load a corrected file",
        "载入 {said}（{file}）不能撤销：被它替换的 {limit} 已损坏或丢失，未作任何改动；"
        "请从备份恢复，或载入更正后的文件",
    ),
    "absent": ("{file} does not exist", "{file} 不存在"),
}


def refusal(code: str, *, file: str, said: object = "", limit: str = "") -> IntakeError:
    """The error to raise for one reason."""
    en, zh = _WORDS[code]
    fill = {"file": file, "said": said, "limit": limit}
    return IntakeError(en.format(**fill), zh.format(**fill), code=code)
