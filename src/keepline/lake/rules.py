"""Every reason intake gives, by code, in Chinese and English: rows set aside, values mended, files refused or held."""

# ruff: noqa: E501  one reason a line reads better than broken lines

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One reason; the words may name ``{column}`` and ``{value}``."""

    code: str
    en: str
    zh: str

    def told(self, *, column: str, value: str) -> tuple[str, str]:
        """The words for one case: English, Chinese."""
        short = value if len(value) <= 120 else value[:117] + "…"
        return self.en.format(column=column, value=short), self.zh.format(column=column, value=short)


def _of(spec: str) -> dict[str, Rule]:
    """Read rules written one a line: ``code | English | 中文``."""
    parts = [[part.strip() for part in line.split("|")] for line in spec.strip().splitlines()]
    return {code: Rule(code, en, zh) for code, en, zh in parts}


# Why a row is set aside.
SET_ASIDE = _of("""
bad_encoding | the line holds bytes that are not in the file's encoding | 该行含有不符合文件编码的字节
mojibake | the text was garbled before it came here: {value} | 文字在到达之前已成乱码：{value}
column_count | the row has another number of columns than the header | 该行列数与表头不一致
open_quote | a quotation mark is opened and not closed | 引号未闭合
bad_quotes | text follows a closing quotation mark | 引号闭合后还有文字
field_too_long | a field is longer than 131,072 characters | 单个字段超过 131072 个字符
total_inside | a total row stands before the end of the file | 合计行出现在文件中部
missing_value | {column} is empty and must not be | {column} 为空，但必须填写
not_a_number | {column}: {value} is not a number | {column}：{value} 不是数字
too_large | {column}: {value} is too large to be true | {column}：{value} 数值过大
not_a_date | {column}: {value} is not a date | {column}：{value} 不是日期
date_out_of_range | {column}: {value} lies outside 1901 to 2100 | {column}：{value} 不在 1901—2100 年之间
not_a_month | {column}: {value} is not a billing month | {column}：{value} 不是账期
month_out_of_range | {column}: {value} is too early or too late to be a billing month | {column}：{value} 账期过早或过晚
month_future | month {value} lies beyond every month around it; a slip of the pen? | 账期 {value} 远晚于其他账期，疑为笔误
month_before_history | month {value} is older than the history that was opened | 账期 {value} 早于已启用的历史
not_yes_or_no | {column}: {value} is neither yes nor no | {column}：{value} 既非是也非否
unknown_code | {column}: code {value} is not in the mapping | {column}：代码 {value} 未在映射中定义
digits_lost | {column}: {value} was cut by a spreadsheet; its digits are lost | {column}：{value} 被电子表格截断，数字已丢失
phone_length | {column}: {value} is no telephone number | {column}：{value} 不是电话号码
landline | {column}: {value} is a landline and the mapping asks for mobiles | {column}：{value} 是固话，映射要求手机号
id_card_check | {column}: {value} fails the check digit; a spreadsheet may have damaged it | {column}：{value} 校验位不符，可能被电子表格破坏
id_card_date | {column}: {value} bears an impossible date | {column}：{value} 含不存在的日期
id_card_form | {column}: {value} is no identity number | {column}：{value} 不是身份证号
account_length | {column}: {value} has another length than the mapping says; leading zeros lost? | {column}：{value} 长度不符，前导零可能丢失
not_an_account | {column}: {value} cannot be an account number | {column}：{value} 不能作为客户编号
not_a_pseudonym | {column}: {value} is no pseudonym that keepline gives; copy it as it stands in the plan | {column}：{value} 不是 keepline 给出的假名；请照方案表原样填写
key_case | {column}: {value} differs from another number by upper and lower case alone | {column}：{value} 与另一编号仅大小写不同
duplicate_key | the same key stands in several rows with different values | 同一主键出现多行且内容不同
unknown_customer | the customer is not known yet; tried again when customers arrive | 客户档案尚无此客户；客户档案到达后自动重试
closed_customer | the customer left long before month {value} | 账期 {value} 时该客户早已离网
number_reassigned | the number was opened anew; its history belongs to another customer | 号码已二次放号，历史属于另一客户
line_changes_owner | the line belongs to another customer and was not opened anew | 号码归属客户变更，且非新开户
negative_bill | {column}: {value} is negative and the mapping sets such bills aside | {column}：{value} 为负数，映射要求搁置
total_not_items | {column}: {value} is not the sum of its items | {column}：{value} 与各分项之和不符
""")

# What was mended without changing the meaning.
NOTES = _of("""
encoding | read as {value} | 按 {value} 编码读取
byte_order_mark | a byte order mark was left out | 已去除字节序标记
mixed_line_ends | lines end in different ways | 换行符不统一
delimiter | columns are parted by {value} | 列分隔符为 {value}
other_format | the name says otherwise, but the file is {value} | 文件扩展名与内容不符，实际为 {value}
path_in_name | the path inside the name was left out: {value} | 已去除名称中的路径：{value}
header_cleaned | header {value} was matched after tidying width, spaces or case | 表头 {value} 经整理全半角、空格或大小写后匹配
extra_columns | columns not mapped: {value} | 未映射的列：{value}
no_rows | the file has a header and no rows | 文件只有表头，没有数据
blank_rows | blank rows were left out | 已忽略空行
total_row | the total row was left out after checking its sums | 合计行核对后已忽略
trailing_delimiter | empty columns at the end of rows were left out | 已忽略行末空列
digits_restored | a number written as 1.38E+10 was written out | 科学计数法数字已还原
trailing_zero | .0 at the end of a number was taken off | 已去除编号末尾的 .0
quote_mark | the mark that keeps a spreadsheet from counting was taken off | 已去除防止电子表格改写的标记
tidied | spaces, dashes or full-width digits were tidied | 已整理空格、连字符或全角数字
country_code | the country code was taken off | 已去除国家代码
invisible | invisible characters were taken out | 已去除不可见字符
iot_number | 13-digit numbers were taken as things, not people | 13 位号码按物联网卡接受
landline_number | landline numbers with area code were accepted | 已接受带区号的固话
old_id_card | 15-digit identity numbers were written with 18 | 15 位身份证号已升为 18 位
upper_case | lower case was written as upper case | 小写已转为大写
money_signs | separators, signs or words in numbers were read | 已识别数字中的千分位、货币符号或单位
rounded | numbers finer than the smallest unit were rounded half up | 超出最小单位的小数已四舍五入
serial_day | day numbers of a spreadsheet were read as dates | 电子表格日期序号已转换为日期
day_form | dates written otherwise than YYYY-MM-DD were read | 已识别其他写法的日期
credit | negative bills were taken as credits | 负数账单按退费（credit）接受
no_consent | an empty consent was taken as no consent | 授权为空按未授权处理
blacklist_wins | numbers on the blacklist marked as consenting: the blacklist counts | 黑名单号码标记为已授权：以黑名单为准
repeated_rows | the same row again; taken once | 重复的相同行只取一次
loaded_before | this file was loaded before | 该文件此前已载入
month_adjusted | months already published were corrected: {value}; the correction counts from the next month on; to change those months in place instead, load with --accept reopen, then publish with --replace | 已发布账期有更正：{value}；自下一账期起生效。如要直接修改这些账期，请在载入时加 --accept reopen，再用 --replace 重新发布
month_reopened | months already published were changed in place: {value}; publish them again with --replace | 已发布账期被直接修改：{value}；请用 --replace 重新发布
waiting | rows wait for their customer | 有数据行等待客户档案
not_checked | no customers are known yet, so none of these could be checked against them | 尚无客户档案，未核对客户是否存在
mixed_encodings | some lines are in another encoding; they were set aside | 部分行使用其他编码，已搁置
""")

# Why a whole file is held until its code is accepted.
HELD = _of("""
set_aside_share | {value} of the rows would be set aside | 将有 {value} 的数据行被搁置
total_mismatch | the total row does not fit the rows: {value} | 合计行与明细不符：{value}
amount_shift | the mean amount is {value} times that of the month before; yuan for fen? | 平均金额为上月的 {value} 倍，是否元与分混淆
row_count | the number of rows moved by {value} against the month before | 数据行数较上月变动 {value}
month_again | rows of a month that is loaded already would be written over ({value}), as the mapping writes that month whatever the file; if the file is of another month, write that month in the mapping, or take it from the file's name or a column; if it corrects this month, accept it | 已载入账期的数据将被覆盖（{value}），因为映射为所有文件写定了这个账期；如文件属于其他账期，请在映射中改写账期，或从文件名、列中取得；如确为本账期的更正，请接受
""")

ALL = SET_ASIDE | NOTES | HELD
