"""What is typed when one signs in or looks after people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation

from keepline_web.frame.words import Text
from keepline_web.people.models import Person, Unit
from keepline_web.people.roles import RIGHTS

WRONG = Text("用户名或密码不正确。", "The user name or the password is not right.")


class SignIn(forms.Form):
    username = forms.CharField(max_length=40)
    password = forms.CharField(max_length=200, strip=False, widget=forms.PasswordInput)


class Code(forms.Form):
    code = forms.RegexField(r"^\d{6}$")


class NewPassword(forms.Form):
    """The present password, and a new one that is long, not common, and not one's own name."""

    present = forms.CharField(max_length=200, strip=False, widget=forms.PasswordInput)
    password = forms.CharField(max_length=200, strip=False, widget=forms.PasswordInput)

    def __init__(self, person: Person, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.person = person

    def clean_present(self) -> str:
        said: str = self.cleaned_data["present"]
        if not self.person.check_password(said):
            raise forms.ValidationError(str(Text("当前密码不正确。", "The present password is not right.")))
        return said

    def clean_password(self) -> str:
        said: str = self.cleaned_data["password"]
        password_validation.validate_password(said, self.person)
        if self.person.check_password(said):
            raise forms.ValidationError(
                str(Text("新密码须与当前密码不同。", "The new password must differ from the present one."))
            )
        return said


class NewPerson(forms.Form):
    username = forms.RegexField(r"^[a-z][a-z0-9._-]{2,39}$")
    name = forms.CharField(max_length=80)
    role = forms.ChoiceField()
    unit = forms.ModelChoiceField(Unit.objects.all())
    manager_id = forms.CharField(max_length=40, required=False)

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.fields["role"].choices = [(role, str(rights.words)) for role, rights in RIGHTS.items()]  # type: ignore[attr-defined]


class Post(forms.Form):
    role = forms.ChoiceField()
    unit = forms.ModelChoiceField(Unit.objects.all())

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.fields["role"].choices = [(role, str(rights.words)) for role, rights in RIGHTS.items()]  # type: ignore[attr-defined]


class NewUnit(forms.Form):
    kind = forms.ChoiceField(choices=Unit.Kind.choices)
    name = forms.CharField(max_length=80)
    above = forms.ModelChoiceField(Unit.objects.all(), required=False)
